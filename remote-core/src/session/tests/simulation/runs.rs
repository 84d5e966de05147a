//! Random runs, one a seed, on all cores. A run that fails prints the command that plays it again.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::schedule::Schedule;
use super::tally::Tally;

/// Runs when nothing else is said; `REMOTE_SEEDS` says how many, and `REMOTE_FIRST_SEED` from where they are counted.
const SEEDS: u64 = 250;

const COMMAND: &str = "cargo test -p remote-core --lib simulation::runs -- --nocapture";

#[test]
fn random_runs_keep_every_promise() {
    if let Some(seed) = number("REMOTE_SEED") {
        println!("{:?}", Schedule::new(seed).aloud().run());
        return;
    }
    let seeds = number("REMOTE_SEEDS").unwrap_or(SEEDS);
    let first = number("REMOTE_FIRST_SEED").unwrap_or(0);
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let run_all = || {
        let mut sum = Tally::default();
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed - first >= seeds {
                break;
            }
            match catch_unwind(|| Schedule::new(seed).run()) {
                Ok(tally) => sum.add(tally),
                Err(_) => {
                    failed.store(true, Ordering::Relaxed);
                    eprintln!("to play it again: REMOTE_SEED={seed} {COMMAND}");
                }
            }
        }
        sum
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut sum = Tally::default();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run_all)).collect();
        running.into_iter().for_each(|thread| sum.add(thread.join().expect("it caught panics")));
    });
    assert!(!failed.load(Ordering::Relaxed), "a run has failed: see above");
    println!("{seeds} runs from {first}: {sum:?}");
    let Tally { executed, forwarded, shortened, resumed, expired, .. } = sum;
    for count in [executed, forwarded, shortened, resumed, expired] {
        assert!(count >= seeds / 2, "too little happens to find anything: {sum:?}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
