//! Random runs, one for each seed, on all cores. A failure prints the command that repeats it.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::schedule::Schedule;
use super::tally::Tally;

/// The default number of runs. `REMOTE_SEEDS` sets another number, `REMOTE_FIRST_SEED` the first seed.
const SEEDS: u64 = 250;

const COMMAND: &str = "cargo test -p remote-core --lib simulation::runs -- --nocapture";

#[test]
fn random_runs_keep_all_properties() {
    if let Some(seed) = number("REMOTE_SEED") {
        println!("{:?}", Schedule::new(seed).verbose().run());
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
                    eprintln!("to repeat it: REMOTE_SEED={seed} {COMMAND}");
                }
            }
        }
        sum
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut sum = Tally::default();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run_all)).collect();
        running.into_iter().for_each(|thread| sum.add(thread.join().expect("panics are caught")));
    });
    assert!(!failed.load(Ordering::Relaxed), "a run has failed: see above");
    println!("{seeds} runs from {first}: {sum:?}");
    let Tally { executed, forwarded, shortened, resumed, expired, .. } = sum;
    for count in [executed, forwarded, shortened, resumed, expired] {
        assert!(count >= seeds / 2, "too few events to find anything: {sum:?}");
    }
    assert!(sum.drained >= seeds / 50, "too few orderly ends: {sum:?}");
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
