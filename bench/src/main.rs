//! The benchmark's runner: its options, its output and its exit code.

mod build;
mod comparison;
mod contestant;
mod environment;
mod figures;
mod panel;
mod placement;
mod play;
mod plot;
mod probe;
mod process;
mod progress;
mod rounds;
mod set;
mod statistics;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use contract::{Result, Workload};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::comparison::Comparison;
use crate::contestant::Entry;
use crate::placement::OneCore;
use crate::rounds::{Record, Rounds};
use crate::set::{Choice, Set};

/// Compares contestants side by side, in interleaved rounds on one machine.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the contestants, plays the workloads, prints tables, draws a plot.
    Run(Run),
}

#[derive(Args)]
struct Run {
    /// The contestants and workloads to play.
    #[arg(long, value_enum, default_value_t = Choice::Default)]
    set: Choice,

    /// A contestant, instead of those of the set: a name that README.md lists, a package of this workspace, or
    /// NAME=COMMAND, where COMMAND is a program and its first arguments, separated by spaces. May be repeated.
    #[arg(long = "contestant", value_name = "NAME[=COMMAND]")]
    contestants: Vec<Entry>,

    /// A workload that README.md lists, instead of those of the set. May be repeated.
    #[arg(long = "workload", value_name = "WORKLOAD")]
    workloads: Vec<Workload>,

    /// The contestant that the others are compared with, instead of that of the set.
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,

    /// Number of times that each contestant plays each workload.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Measured time of each play.
    #[arg(long, default_value = "0.5", value_parser = seconds)]
    seconds: Duration,

    /// Plays that have server and client on one core.
    #[arg(long, value_enum, default_value_t = OneCore::Latency)]
    one_core: OneCore,

    /// File for the plot, a PNG [default: bench.png in cargo's target directory].
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,

    /// File for the output, which is also printed: the tables in markdown.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Command::Run(options) = Arguments::parse().command;
    // On one thread: a child process inherits the cores that the thread which starts it is bound to.
    let played = Builder::new_current_thread().enable_all().build().map_err(Into::into).and_then(
        |runtime| {
            runtime.block_on(async {
                // If interrupted, the future of the run is dropped, and the processes that it started are killed.
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
    let replaced = !options.contestants.is_empty() || !options.workloads.is_empty();
    if options.set == Choice::All && replaced {
        return Err(
            "`--contestant` and `--workload` replace those of one set; `--set all` has three"
                .into(),
        );
    }
    let mut left_out = BTreeMap::new();
    let mut played = Vec::new();
    for set in options.set.sets() {
        let rounds = options.rounds(set, &mut left_out).await?;
        let record = rounds.play().await;
        played.push((set.title, rounds, record));
    }
    let comparisons: Vec<Comparison<'_>> =
        played.iter().map(|(title, rounds, record)| Comparison { title, rounds, record }).collect();

    let mut text = report(&comparisons, &left_out).await;
    let plot = options.plot.map_or_else(default_plot, Ok)?;
    let machine = environment::machine();
    let drawn = plot::draw(&comparisons, &machine, &plot)?;
    let drawn = drawn.then(|| plot.display().to_string());
    let _ = writeln!(text, "\nPlot: {}", drawn.as_deref().unwrap_or("nothing to compare"));
    print!("{text}");
    if let Some(path) = options.table {
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }

    let right = |record: &Record| record.failures.is_empty() && !record.plays.is_empty();
    let all_right = played.iter().all(|(_, _, record)| right(record));
    Ok(if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Run {
    /// Builds the contestants of a set. Those that do not build are left out.
    async fn rounds(&self, set: &Set, left_out: &mut BTreeMap<String, String>) -> Result<Rounds> {
        let mut contestants = Vec::new();
        for entry in self.entries(set)? {
            let name = entry.name.clone();
            match entry.build().await {
                Ok(contestant) => contestants.push(contestant),
                Err(error) => {
                    eprintln!("{name} is left out: {error}");
                    left_out.insert(name, error.to_string());
                }
            }
        }
        if contestants.is_empty() {
            return Err("no contestant can be played".into());
        }
        Ok(Rounds {
            contestants,
            workloads: self.workloads(set)?,
            baseline: self.baseline.clone().unwrap_or_else(|| set.baseline.to_owned()),
            rounds: self.rounds,
            length: self.seconds,
            one_core: self.one_core,
        })
    }

    fn entries(&self, set: &Set) -> Result<Vec<Entry>> {
        if !self.contestants.is_empty() {
            return Ok(self.contestants.clone());
        }
        Ok(set
            .contestants
            .iter()
            .map(|name| name.parse())
            .collect::<std::result::Result<_, _>>()?)
    }

    fn workloads(&self, set: &Set) -> Result<Vec<Workload>> {
        if !self.workloads.is_empty() {
            return Ok(self.workloads.clone());
        }
        Ok(set.workloads.iter().map(|text| text.parse()).collect::<std::result::Result<_, _>>()?)
    }
}

/// Returns everything that is printed, except the path of the plot.
async fn report(comparisons: &[Comparison<'_>], left_out: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let contestants: Vec<&str> = comparisons
        .iter()
        .flat_map(|comparison| comparison.contestants().map(|index| comparison.name(index)))
        .collect();
    for line in environment::lines(&contestants).await {
        let _ = writeln!(text, "- {line}");
    }
    for comparison in comparisons {
        let _ = write!(text, "\n{}", table::render(*comparison));
    }
    let failures = comparisons.iter().flat_map(|comparison| &comparison.record.failures);
    let failures = failures.map(|failure| format!("Failed: {failure}"));
    let left_out = left_out.iter().map(|(name, reason)| format!("Left out: {name}: {reason}"));
    for (index, line) in left_out.chain(failures).enumerate() {
        let _ = writeln!(text, "{}- {line}", if index == 0 { "\n" } else { "" });
    }
    text
}

/// Returns `bench.png` in cargo's target directory, where this binary is in a directory of its own.
fn default_plot() -> Result<PathBuf> {
    let binary = std::env::current_exe()?;
    let target = binary.parent().and_then(Path::parent).ok_or("no target directory")?;
    Ok(target.join("bench.png"))
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
    fn without_options_the_default_set_is_played() {
        let options = parse("bench run").expect("complete");
        let [set] = options.set.sets() else { panic!("{:?}", options.set) };
        let entries = options.entries(set).expect("valid");
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, set.contestants);
        assert_eq!(options.workloads(set).expect("valid").len(), set.workloads.len());
        assert_eq!(options.one_core, OneCore::Latency);
    }

    #[test]
    fn options_replace_those_of_the_set() {
        let line = "bench run --contestant raw --workload tput:2 --workload lat --rounds 3 --seconds 0.5 --one-core all \
                    --set growth";
        let options = parse(line).expect("valid");
        let set = options.set.sets()[0];
        let entries = options.entries(set).expect("valid");
        let workloads = options.workloads(set).expect("valid");
        assert_eq!((entries.len(), workloads.len(), options.rounds), (1, 2, 3));
        assert_eq!((options.seconds, options.one_core), (Duration::from_millis(500), OneCore::All));
    }

    #[test]
    fn wrong_options_are_refused() {
        for wrong in [
            "--rounds 0",
            "--seconds 0",
            "--seconds -1",
            "--workload teleport",
            "--one-core 2",
            "--contestant =",
            "--set some",
        ] {
            assert!(parse(&format!("bench run {wrong}")).is_err(), "{wrong}");
        }
    }
}
