//! The command line of a contestant: its arguments, its runtime, its exit code.

use std::future::pending;
use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime::{Builder, Handle};

use crate::{Answer, Contestant, Result, Workload, client};

/// The kind of tokio runtime, the same in server and client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// `multi_thread`, with [`Contestant::WORKER_THREADS`].
    MultiThread,
    /// `current_thread`.
    CurrentThread,
}

/// Runs a contestant with the arguments of the process, on a multi-thread runtime.
///
/// Returns the exit code: 1 if the play failed, 2 if the arguments are wrong.
pub fn play<C: Contestant>() -> ExitCode {
    play_with::<C>(Flavor::MultiThread, &std::env::args().skip(1).collect::<Vec<_>>())
}

/// Runs a contestant with other arguments or another runtime; else as [`play`].
pub fn play_with<C: Contestant>(flavor: Flavor, arguments: &[String]) -> ExitCode {
    let command = match parse(arguments) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{error}; usage: serve | client PORT WORKLOAD SECONDS");
            return ExitCode::from(2);
        }
    };
    match run::<C>(flavor, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Command {
    Serve,
    Client {
        port: u16,
        /// None if this contract has no such workload.
        workload: Option<Workload>,
        length: Duration,
    },
}

fn parse(arguments: &[String]) -> std::result::Result<Command, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => Ok(Command::Serve),
        ["client", port, workload, seconds] => Ok(Command::Client {
            port: port.parse().map_err(|_| format!("not a port: {port:?}"))?,
            workload: workload.parse().ok(),
            length: length(seconds)
                .ok_or_else(|| format!("not a number of seconds: {seconds:?}"))?,
        }),
        _ => Err("wrong arguments".to_owned()),
    }
}

fn length(seconds: &str) -> Option<Duration> {
    let length = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    (!length.is_zero()).then_some(length)
}

fn run<C: Contestant>(flavor: Flavor, command: Command) -> Result<()> {
    raise_descriptor_limit();
    let runtime = start(flavor, C::WORKER_THREADS)?;
    match command {
        Command::Serve => {
            runtime.block_on(C::serve(|port| print_line(format_args!("PORT {port}"))))
        }
        Command::Client { port, workload: Some(workload), length } if C::supports(workload) => {
            let summary = client::play::<C>(&runtime, port, workload, length)?;
            print_line(format_args!("{}", Answer::Played(summary).to_line()));
            // The runner reads nothing after this line, so an orderly shutdown would gain nothing.
            std::process::exit(0)
        }
        Command::Client { .. } => {
            print_line(format_args!("{}", Answer::UNSUPPORTED.to_line()));
            Ok(())
        }
    }
}

/// Starts a runtime that runs until the process exits.
fn start(flavor: Flavor, worker_threads: Option<usize>) -> Result<Handle> {
    let mut builder = match flavor {
        Flavor::MultiThread => Builder::new_multi_thread(),
        Flavor::CurrentThread => Builder::new_current_thread(),
    };
    if let Some(worker_threads) = worker_threads {
        builder.worker_threads(worker_threads);
    }
    let runtime = builder.enable_all().build()?;
    let handle = runtime.handle().clone();
    // A `current_thread` runtime makes progress only inside `Runtime::block_on`.
    thread::spawn(move || runtime.block_on(pending::<()>()));
    Ok(handle)
}

/// Raises the soft limit of open files to the hard limit: `idle:N` needs N descriptors in each process.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If the limit stays low, the workload that needs more descriptors fails and reports it.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Prints one line and flushes it. Exits if nobody reads it.
pub(crate) fn print_line(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> std::result::Result<Command, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_server_has_no_arguments() {
        assert_eq!(parse_line("serve"), Ok(Command::Serve));
        assert!(parse_line("serve 4096").is_err());
        assert!(parse_line("").is_err());
    }

    #[test]
    fn a_client_has_a_port_a_workload_and_a_time() {
        let length = Duration::from_millis(1500);
        let workload = Some(Workload::Latency);
        assert_eq!(
            parse_line("client 4096 lat 1.5"),
            Ok(Command::Client { port: 4096, workload, length })
        );
        for wrong in [
            "client",
            "client 70000 lat 1",
            "client 1 lat 0",
            "client 1 lat -1",
            "client 1 lat nan",
        ] {
            assert!(parse_line(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_workload_is_not_an_error() {
        let length = Duration::from_secs(1);
        assert_eq!(
            parse_line("client 1 teleport:3 1"),
            Ok(Command::Client { port: 1, workload: None, length })
        );
    }

    #[test]
    fn both_flavors_run_spawned_tasks_while_no_thread_waits_for_them() {
        for flavor in [Flavor::MultiThread, Flavor::CurrentThread] {
            let (sender, receiver) = std::sync::mpsc::channel();
            let runtime = start(flavor, None).expect("started");
            runtime.spawn(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                sender.send(())
            });
            receiver.recv_timeout(Duration::from_secs(60)).expect("the task ran");
        }
    }
}
