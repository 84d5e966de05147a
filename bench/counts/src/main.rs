//! Counts instructions, whose number does not depend on other programs that run: those of the library's paths, compared with
//! recorded figures, and those of each kind of frame, compared between small and large tables.

mod callgrind;
mod collect;
mod environment;
mod figures;
mod frames;
mod judgement;
mod objects;
mod paths;

// Shared with the test that counts allocations.
#[path = "../../../remote-core/tests/allocations/steps.rs"]
mod steps;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use callgrind::{Job, run_all};
use environment::Environment;
use figures::{Figures, Growth};
use frames::CASES;
use judgement::{Verdict, frame_row, judge_frame, judge_path, path_row};
use paths::PATHS;

/// The command that accepts new figures.
const ACCEPT: &str = "cargo run --release --manifest-path bench/Cargo.toml -p counts -- accept";

#[derive(Parser)]
#[command(about, version)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, compare with the recorded figures, and fail if one has grown too much (the default)
    Check,
    /// Measure, and record the figures in bench/counts/figures.toml
    Accept,
    /// Run one measurement; to be run under valgrind
    #[command(name = callgrind::MEASURE)]
    Measure {
        /// The path or the frame
        name: String,
        /// For a frame: the entries of the tables
        entries: Option<u64>,
    },
}

fn main() -> ExitCode {
    let result = match Options::parse().command {
        None | Some(Command::Check) => check(),
        Some(Command::Accept) => accept(),
        Some(Command::Measure { name, entries }) => measure(&name, entries),
    };
    result.unwrap_or_else(|error| {
        eprintln!("counts: {error}");
        ExitCode::FAILURE
    })
}

/// Runs one measurement, and prints the number of repetitions.
fn measure(name: &str, entries: Option<u64>) -> Result<ExitCode, String> {
    let path = PATHS.iter().find(|path| path.name == name);
    let case = CASES.iter().find(|case| case.name == name);
    let repetitions = match (path, case, entries) {
        (Some(path), _, None) => {
            path.run();
            path.repetitions
        }
        (_, Some(case), Some(entries)) => case.run(entries),
        _ => {
            return Err(format!("there is no path `{name}`, or no frame with {entries:?} entries"));
        }
    };
    println!("{repetitions}");
    Ok(ExitCode::SUCCESS)
}

fn path_jobs() -> Vec<Job> {
    PATHS.iter().map(|path| vec![path.name.to_owned()]).collect()
}

fn frame_jobs() -> Vec<Job> {
    let of = |case: &frames::Case| {
        let name = case.name;
        case.sizes.map(|size| vec![name.to_owned(), size.to_string()])
    };
    CASES.iter().flat_map(of).collect()
}

/// Pairs the counts of frames, and adds the recorded reasons.
fn growths(counted: &[u64], recorded: Option<&Figures>) -> Vec<(&'static str, Growth)> {
    let known = |name| recorded?.frames.get(name)?.known.clone();
    let growth = |(case, counted): (&frames::Case, &[u64])| {
        let name = case.name;
        (name, Growth { few: counted[0], many: counted[1], known: known(name) })
    };
    CASES.iter().zip(counted.chunks(2)).map(growth).collect()
}

fn check() -> Result<ExitCode, String> {
    let (present, recorded) = (Environment::present()?, Figures::read()?);
    let comparable = recorded.as_ref().filter(|figures| figures.environment == present);
    let paths = if comparable.is_some() { path_jobs() } else { Vec::new() };
    let counted = run_all(&[paths.clone(), frame_jobs()].concat())?;
    let (of_paths, of_frames) = counted.split_at(paths.len());
    let mut verdicts = Vec::new();

    if let Some(recorded) = comparable {
        println!("\n{:48} {:>9} {:>9} {:>9}", "path: instructions", "recorded", "now", "change");
        for (path, now) in PATHS.iter().zip(of_paths) {
            let recorded = recorded.paths.get(path.name).copied();
            println!("{}", path_row(path.name, recorded, *now));
            verdicts.push(judge_path(recorded, *now));
        }
    }
    println!("\n{:48} {:>9} {:>9} {:>9}", "frame: instructions for one", "few", "many", "factor");
    for (name, growth) in growths(of_frames, recorded.as_ref()) {
        println!("{}", frame_row(name, &growth));
        verdicts.push(judge_frame(&growth));
    }
    println!();
    if comparable.is_none() {
        let of =
            |environment: &Environment| environment.fields().map(|(_, value)| value.to_owned());
        println!(
            "SKIPPED: the instructions of the paths: the recorded figures are for {:?}, but this is {:?}. \
             To record figures for this environment: {ACCEPT}",
            recorded.map(|figures| of(&figures.environment)).unwrap_or_default(),
            of(&present),
        );
    }
    if verdicts.contains(&Verdict::Better) {
        println!("Some figures are better than the recorded ones. To record them: {ACCEPT}");
    }
    if verdicts.iter().any(|verdict| verdict.fails()) {
        println!(
            "FAILED: a path needs more instructions than recorded, or a frame grows too much with the tables. To record a path \
             that grew on purpose: {ACCEPT}\nA frame that grows by more than a factor of 2 must be fixed, or needs a \
             reason in its line of bench/counts/figures.toml (`known = \"..\"`)."
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn accept() -> Result<ExitCode, String> {
    let (environment, recorded) = (Environment::present()?, Figures::read()?);
    let counted = run_all(&[path_jobs(), frame_jobs()].concat())?;
    let (of_paths, of_frames) = counted.split_at(PATHS.len());
    let (mut paths, mut frames) = (BTreeMap::new(), BTreeMap::new());
    for (path, now) in PATHS.iter().zip(of_paths) {
        let before = recorded.as_ref().and_then(|figures| figures.paths.get(path.name).copied());
        println!("{}", path_row(path.name, before, *now));
        paths.insert(path.name.to_owned(), *now);
    }
    for (name, mut growth) in growths(of_frames, recorded.as_ref()) {
        println!("{}", frame_row(name, &growth));
        if judge_frame(&growth) == Verdict::Better {
            growth.known = None;
        }
        frames.insert(name.to_owned(), growth);
    }
    let names = (PATHS.map(|path| path.name), CASES.map(|case| case.name));
    Figures { environment, paths, frames }.write(&names.0, &names.1)?;
    println!("recorded in bench/counts/figures.toml");
    Ok(ExitCode::SUCCESS)
}
