//! Explores the requested worlds, prints the size of each, and fails if a property is violated in one of them.
//!
//! It must not know the rules.

use std::process::ExitCode;
use std::time::Duration;

use model::World;
use model::explore::{Explored, explore};
use model::worlds::{LARGE, SMALL};

/// The number of threads: the cores of a small machine.
const THREADS: usize = 2;

/// The minimum number of states. With fewer, the worlds have become too small.
const ENOUGH: usize = 10_000_000;

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let worlds: &[&[World]] = match asked.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["small"] => &[SMALL],
        ["large"] => &[LARGE],
        ["all"] => &[SMALL, LARGE],
        _ => {
            eprintln!("which worlds? usage: model small|large|all");
            return ExitCode::FAILURE;
        }
    };
    println!("{:<62}{:>12}{:>14}{:>7}{:>9}", "world", "states", "steps", "depth", "seconds");
    let (mut states, mut steps, mut depth, mut took) = (0, 0, 0, Duration::ZERO);
    for world in worlds.iter().copied().flatten() {
        let explored = explore(*world, THREADS);
        print_row(world.name, explored.states, explored.steps, explored.depth, explored.took);
        if !holds(&explored) {
            return ExitCode::FAILURE;
        }
        states += explored.states;
        steps += explored.steps;
        depth = depth.max(explored.depth);
        took += explored.took;
    }
    print_row("all", states, steps, depth, took);
    if states < ENOUGH {
        eprintln!("TOO FEW STATES: at least {ENOUGH} are required");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn print_row(name: &str, states: usize, steps: usize, depth: usize, took: Duration) {
    let seconds = took.as_secs_f32();
    println!("{name:<62}{states:>12}{steps:>14}{depth:>7}{seconds:>9.1}");
}

/// Returns true if no property is violated and every required situation was reached. Prints what was not.
fn holds(explored: &Explored) -> bool {
    for (property, actions) in &explored.violated {
        eprintln!("VIOLATED: {property}, by these actions:");
        actions.iter().for_each(|action| eprintln!("    {action:?}"));
    }
    for situation in &explored.unreached {
        eprintln!("NEVER REACHED: {situation}");
    }
    explored.violated.is_empty() && explored.unreached.is_empty()
}
