//! Whether a contestant keeps the contract: plays every workload against its binary for a moment and reads what it
//! prints. It is for the tests of contestants, and must not know how fast they are.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::{Answer, Mark, Summary, Workload};

/// Far beyond what any of it takes, on a machine however busy.
const LIMIT: Duration = Duration::from_secs(120);

const WORKLOADS: [&str; 10] = [
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
];

/// Plays every workload against the binary.
///
/// # Panics
///
/// Where the binary breaks the contract, with what it did.
pub fn check(binary: &str) {
    let server = Process::start(binary, &["serve"]);
    let announced = server.line();
    let port = announced.strip_prefix("PORT ").unwrap_or_else(|| panic!("no port: {announced:?}"));
    for workload in WORKLOADS {
        match client(binary, port, workload) {
            (marks, Answer::Played(summary)) => {
                let workload = workload.parse().expect("written here");
                check_marks(workload, &marks);
                check_figures(workload, &summary);
            }
            (_, Answer::Unsupported { .. }) => eprintln!("{workload}: left out"),
        }
    }
    assert_eq!(client(binary, port, "teleport:1"), (Vec::new(), Answer::UNSUPPORTED));
}

fn client(binary: &str, port: &str, workload: &str) -> (Vec<Mark>, Answer) {
    let mut client = Process::start(binary, &["client", port, workload, "0.1"]);
    let mut marks = Vec::new();
    loop {
        let line = client.line();
        match line.parse() {
            Ok(mark) => marks.push(mark),
            Err(_) => {
                let answer =
                    Answer::from_line(&line).unwrap_or_else(|_| panic!("{workload}: {line:?}"));
                let status = client.child.wait().expect("a child of ours");
                assert!(status.success(), "{workload}: {status}");
                return (marks, answer);
            }
        }
    }
}

fn check_marks(workload: Workload, marks: &[Mark]) {
    let expected: &[Mark] = match workload {
        Workload::Hold { .. } => &[Mark::Begin, Mark::End, Mark::IdleBegin, Mark::IdleEnd],
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
            assert!(summary.secs >= 0.1, "{workload}: {summary:?}");
            assert!(
                summary.p50_ns.is_some() && summary.p50_ns <= summary.p99_ns,
                "{workload}: {summary:?}"
            );
        }
    }
}

/// A child that does not outlive the test, whichever way that ends.
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
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
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
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
