//! The runner's command line. It owns the options and the exit code, and must not know how a play is played.

mod contestant;
mod figures;
mod placement;
mod play;
mod probe;
mod process;
mod rounds;
mod statistics;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use contract::{Result, Workload};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::contestant::Entry;
use crate::placement::OneCore;
use crate::rounds::Rounds;

/// Compares contestants side by side, in interleaved rounds on one machine.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the contestants, plays the workloads, prints a table.
    Run(Run),
}

#[derive(Args)]
struct Run {
    /// Who plays: a package of this workspace, or NAME=PATH for a binary from elsewhere. All others are compared with
    /// `raw`, if that plays. May be given several times.
    #[arg(long = "contestant", value_name = "NAME[=PATH]", default_values = ["raw", "ours"])]
    contestants: Vec<Entry>,

    /// What is played, as README.md lists it. May be given several times.
    #[arg(long = "workload", value_name = "WORKLOAD", default_values = DEFAULT_WORKLOADS)]
    workloads: Vec<Workload>,

    /// How often each contestant plays each workload.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// How long each of these plays is measured.
    #[arg(long, default_value = "1", value_parser = seconds)]
    seconds: Duration,

    /// Which plays have the server and the client on one and the same core.
    #[arg(long, value_enum, default_value_t = OneCore::Latency)]
    one_core: OneCore,
}

const DEFAULT_WORKLOADS: [&str; 14] = [
    "lat",
    "tput:16",
    "tput:256",
    "tput:4096",
    "conns:64x16",
    "echo:65536x16",
    "echob:65536x16",
    "echo:1048576x4",
    "echob:1048576x4",
    "obj:1",
    "obj:64",
    "hold:100000",
    "chain:10",
    "chainseq:10",
];

fn main() -> ExitCode {
    let Command::Run(options) = Arguments::parse().command;
    // One thread only: a process that it starts inherits the cores that this one thread is bound to.
    let played = Builder::new_current_thread().enable_all().build().map_err(Into::into).and_then(
        |runtime| {
            runtime.block_on(async {
                // Whichever comes first; the other is dropped, and the processes it started with it.
                tokio::select! {
                    played = run(options) => played,
                    interrupted = interruption() => interrupted,
                }
            })
        },
    );
    match played {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Run) -> Result<ExitCode> {
    let mut contestants = Vec::new();
    for entry in options.contestants {
        contestants.push(entry.built().await?);
    }
    let rounds = Rounds {
        contestants,
        workloads: options.workloads,
        rounds: options.rounds,
        length: options.seconds,
        one_core: options.one_core,
    };
    let record = rounds.play().await?;
    print!("{}", table::render(&rounds, &record));
    Ok(if record.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn interruption() -> Result<ExitCode> {
    let (mut interrupt, mut terminate, mut hang_up) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Err("interrupted".into())
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let length = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    length
        .filter(|length| !length.is_zero())
        .ok_or_else(|| "not a number of seconds above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> std::result::Result<Run, clap::Error> {
        let Command::Run(options) = Arguments::try_parse_from(line.split_whitespace())?.command;
        Ok(options)
    }

    #[test]
    fn without_options_both_play_everything() {
        let options = parse("bench run").expect("complete");
        let names: Vec<_> = options.contestants.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["raw", "ours"]);
        assert_eq!(
            options.workloads.iter().map(Workload::to_string).collect::<Vec<_>>(),
            DEFAULT_WORKLOADS
        );
        assert_eq!(options.one_core, OneCore::Latency);
    }

    #[test]
    fn options_replace_the_defaults() {
        let line = "bench run --contestant raw --workload tput:2 --workload lat --rounds 3 --seconds 0.5 --one-core all";
        let options = parse(line).expect("sound");
        assert_eq!((options.contestants.len(), options.workloads.len(), options.rounds), (1, 2, 3));
        assert_eq!((options.seconds, options.one_core), (Duration::from_millis(500), OneCore::All));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            "--rounds 0",
            "--seconds 0",
            "--seconds -1",
            "--workload teleport",
            "--one-core 2",
            "--contestant =",
        ] {
            assert!(parse(&format!("bench run {wrong}")).is_err(), "{wrong}");
        }
    }
}
