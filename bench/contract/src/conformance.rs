//! A check that a binary implements the contract, for the tests of contestants.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::{Answer, Mark, Summary, Workload};

/// Far longer than any step takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

const WORKLOADS: [&str; 12] = [
    "lat",
    "tput:16",
    "conns:4x8",
    "echo:70000x4",
    "echo:1048576x2",
    "echob:70000x4",
    "obj:16",
    "hold:1000",
    "chain:10",
    "chainseq:10",
    "table:1000",
    "idle:20",
];

/// Plays every workload with the binary, for as short a time as yields figures.
///
/// # Panics
/// Panics if the binary violates the contract.
pub fn check(binary: &str) {
    check_with(binary, &[]);
}

/// Does the same with leading arguments, which stand before those of the contract.
///
/// # Panics
/// Panics if the binary violates the contract.
pub fn check_with(binary: &str, leading: &[&str]) {
    let start = |arguments: &[&str]| Process::start(binary, &[leading, arguments].concat());
    let server = start(&["serve"]);
    let announced = server.line();
    let port =
        announced.strip_prefix("PORT ").unwrap_or_else(|| panic!("not a port: {announced:?}"));
    for workload in WORKLOADS {
        match measured(start, port, workload) {
            (marks, Answer::Played(summary)) => {
                let workload = workload.parse().expect("valid");
                check_marks(workload, &marks);
                check_figures(workload, &summary);
            }
            (_, Answer::Unsupported { .. }) => eprintln!("{workload}: unsupported"),
        }
    }
    assert_eq!(client(start, port, "teleport:1", SHORTEST), (Vec::new(), Answer::UNSUPPORTED));
}

const SHORTEST: f64 = 0.1;
const LONGEST: f64 = 30.0;

/// Plays for longer and longer, until an operation ends within the measured time: a debug build on a busy
/// machine can be slow.
fn measured(start: impl Fn(&[&str]) -> Process, port: &str, workload: &str) -> (Vec<Mark>, Answer) {
    let mut seconds = SHORTEST;
    loop {
        match client(&start, port, workload, seconds) {
            (_, Answer::Played(summary)) if summary.calls == 0 && seconds < LONGEST => {
                seconds *= 4.0;
            }
            played => return played,
        }
    }
}

fn client(
    start: impl Fn(&[&str]) -> Process,
    port: &str,
    workload: &str,
    seconds: f64,
) -> (Vec<Mark>, Answer) {
    let mut client = start(&["client", port, workload, &seconds.to_string()]);
    let mut marks = Vec::new();
    loop {
        let line = client.line();
        match line.parse() {
            Ok(mark) => marks.push(mark),
            Err(_) => {
                let answer =
                    Answer::from_line(&line).unwrap_or_else(|_| panic!("{workload}: {line:?}"));
                let status = client.child.wait().expect("a child process");
                assert!(status.success(), "{workload}: {status}");
                return (marks, answer);
            }
        }
    }
}

fn check_marks(workload: Workload, marks: &[Mark]) {
    let expected: &[Mark] = match workload {
        Workload::Hold { .. } => &[Mark::Begin, Mark::End, Mark::IdleBegin, Mark::IdleEnd],
        Workload::Table { .. } | Workload::Idle { .. } => &[
            Mark::HeldBegin,
            Mark::HeldEnd,
            Mark::IdleBegin,
            Mark::IdleEnd,
            Mark::Begin,
            Mark::End,
        ],
        _ => &[Mark::Begin, Mark::End],
    };
    assert_eq!(marks, expected, "{workload}");
}

fn check_figures(workload: Workload, summary: &Summary) {
    assert!(summary.calls > 0 && summary.secs > 0.0, "{workload}: {summary:?}");
    assert_eq!(summary.mb_per_s.is_some(), workload.payload().is_some(), "{workload}: {summary:?}");
    match workload {
        Workload::Hold { objects } => {
            assert_eq!(summary.calls, u64::from(objects.get()), "{workload}")
        }
        _ => {
            assert!(summary.secs >= SHORTEST, "{workload}: {summary:?}");
            // Only a part of the operations is timed; of few operations, perhaps none.
            assert!(summary.p50_ns <= summary.p99_ns, "{workload}: {summary:?}");
        }
    }
}

/// A child process that is killed when this is dropped.
struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(binary: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(binary)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{binary}: {error}"));
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (line, lines) = mpsc::channel();
        thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|text| line.send(text))
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("no further line: {error}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
