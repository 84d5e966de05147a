//! Explores the worlds that are asked for, prints what each comes to, and fails if something is not true in one of them.
//!
//! It must not know the rules.

use std::process::ExitCode;
use std::time::Duration;

use model::World;
use model::explore::{Explored, explore};
use model::worlds::{LARGE, SMALL};

/// As many as a small machine has cores.
const THREADS: usize = 2;

/// How many states are to be looked at, at least: fewer, and the worlds have become too small.
const ENOUGH: usize = 10_000_000;

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let worlds: &[&[World]] = match asked.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["small"] => &[SMALL],
        ["large"] => &[LARGE],
        ["all"] => &[SMALL, LARGE],
        _ => {
            eprintln!("say which worlds: small, large, or all");
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
    print_row("all of them", states, steps, depth, took);
    if states < ENOUGH {
        eprintln!("TOO FEW STATES: {ENOUGH} are to be looked at");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn print_row(name: &str, states: usize, steps: usize, depth: usize, took: Duration) {
    let seconds = took.as_secs_f32();
    println!("{name:<62}{states:>12}{steps:>14}{depth:>7}{seconds:>9.1}");
}

/// Whether all is true, and not of nothing.
fn holds(explored: &Explored) -> bool {
    for (property, actions) in &explored.broken {
        eprintln!("NOT TRUE: {property}, when this happens:");
        actions.iter().for_each(|action| eprintln!("    {action:?}"));
    }
    for occasion in &explored.missed {
        eprintln!("NEVER HAPPENS: {occasion}");
    }
    explored.broken.is_empty() && explored.missed.is_empty()
}
