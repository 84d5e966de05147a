//! The runs under callgrind, several at once. It must not know what is measured.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::collect::PATTERN;

/// The subcommand of this program that runs one measurement, under callgrind.
pub(crate) const MEASURE: &str = "measure";

/// One measurement: the arguments that follow [`MEASURE`].
pub(crate) type Job = Vec<String>;

/// Runs the jobs, as many at once as there are processors. Returns the instructions of one repetition of each job, in order.
///
/// # Errors
/// Returns an error if a job fails, with its name and its output.
pub(crate) fn run_all(jobs: &[Job]) -> Result<Vec<u64>, String> {
    let (next, (done, finished)) = (AtomicUsize::new(0), mpsc::channel());
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..processors {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if done.send((job, run(job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut counted = vec![0; jobs.len()];
        for (finished, (job, result)) in finished.iter().enumerate() {
            let place = jobs.iter().position(|known| std::ptr::eq(known, job));
            counted[place.expect("it is one of them")] = result?;
            eprintln!("[{}/{}] {}", finished + 1, jobs.len(), job.join(" "));
        }
        Ok(counted)
    })
}

fn run(job: &Job) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={PATTERN}"))
        .arg(program)
        .arg(MEASURE)
        .args(job)
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let (text, log) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed = || format!("measuring {} failed:\n{text}{log}", job.join(" "));
    if !output.status.success() {
        return Err(failed());
    }
    let repetitions: u64 = text.trim().parse().map_err(|_| failed())?;
    let collected = log.lines().find_map(|line| line.split_once("Collected :"));
    let collected: u64 =
        collected.and_then(|(_, count)| count.trim().parse().ok()).ok_or_else(failed)?;
    match collected / repetitions {
        0 => Err(format!("nothing was counted: `{PATTERN}` names no function\n{}", failed())),
        each => Ok(each),
    }
}
