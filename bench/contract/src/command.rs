//! The command line of a contestant. It owns how arguments are read and what the process exits with, and must not know
//! what a workload does.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::{Answer, Contestant, Result, Workload, client};

/// The `main` of a contestant: does what the arguments say, and exits with 1 where it failed, 2 where it made no sense.
pub fn play<C: Contestant>() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = match read(&arguments) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{error}; usage: serve | client PORT WORKLOAD SECONDS");
            return ExitCode::from(2);
        }
    };
    match run::<C>(command) {
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
        /// None where this contract has no such workload.
        workload: Option<Workload>,
        length: Duration,
    },
}

fn read(arguments: &[String]) -> std::result::Result<Command, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => Ok(Command::Serve),
        ["client", port, workload, seconds] => Ok(Command::Client {
            port: port.parse().map_err(|_| format!("no port: {port:?}"))?,
            workload: workload.parse().ok(),
            length: length(seconds).ok_or_else(|| format!("no number of seconds: {seconds:?}"))?,
        }),
        _ => Err("neither a server nor a client".to_owned()),
    }
}

fn length(seconds: &str) -> Option<Duration> {
    let length = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    (!length.is_zero()).then_some(length)
}

fn run<C: Contestant>(command: Command) -> Result<()> {
    let runtime = runtime()?;
    match command {
        Command::Serve => runtime.block_on(C::serve(|port| say(format_args!("PORT {port}")))),
        Command::Client { port, workload: Some(workload), length } if C::supports(workload) => {
            let summary = client::play::<C>(&runtime, port, workload, length)?;
            say(format_args!("{}", Answer::Played(summary).to_line()));
            // The runner reads nothing after this line, so nothing is gained by winding down in good order.
            std::process::exit(0)
        }
        Command::Client { .. } => {
            say(format_args!("{}", Answer::UNSUPPORTED.to_line()));
            Ok(())
        }
    }
}

/// The same for every contestant: the default number of worker threads, which heeds the cores it is pinned to.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

/// One line, at once, also into a pipe. Nobody who reads it is no reason to go on.
pub(crate) fn say(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> std::result::Result<Command, String> {
        read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_server_takes_no_arguments() {
        assert_eq!(read_line("serve"), Ok(Command::Serve));
        assert!(read_line("serve 4096").is_err());
        assert!(read_line("").is_err());
    }

    #[test]
    fn a_client_takes_a_port_a_workload_and_a_time() {
        let length = Duration::from_millis(1500);
        let workload = Some(Workload::Latency);
        assert_eq!(
            read_line("client 4096 lat 1.5"),
            Ok(Command::Client { port: 4096, workload, length })
        );
        for wrong in [
            "client",
            "client 70000 lat 1",
            "client 1 lat 0",
            "client 1 lat -1",
            "client 1 lat nan",
        ] {
            assert!(read_line(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_workload_is_no_mistake() {
        let length = Duration::from_secs(1);
        assert_eq!(
            read_line("client 1 teleport:3 1"),
            Ok(Command::Client { port: 1, workload: None, length })
        );
    }
}
