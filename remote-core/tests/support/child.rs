//! Owns child processes of a test: the test binary itself, run again in a role; and the memory of each.
//!
//! It must not know the roles. A test binary that has children has a test named `child`, which plays the role named in
//! the environment, and does nothing where none is.

use std::alloc::System;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use cap::Cap;

use super::GENEROUS;
#[cfg(target_os = "linux")]
use super::until;

const ROLE: &str = "REMOTE_TEST_ROLE";
/// What a child says to its parent begins with this: the test harness writes to the same stream.
const MARK: &str = "child says: ";
/// The answer to a request to measure begins with this.
const MEASURED: &str = "child has allocated: ";

/// Counts what the process has allocated and not freed. What the system has resident is no measure of that: it includes
/// what the allocator keeps, which depends on the machine.
#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// A child process, killed when it is dropped.
pub(crate) struct Child {
    process: std::process::Child,
    said: Receiver<String>,
    /// Takes a line for each measurement.
    requests: Mutex<ChildStdin>,
    measured: Mutex<Receiver<Allocated>>,
}

/// The bytes that a process has allocated and not freed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocated {
    pub(crate) now: u64,
    /// The most at once since the process began.
    pub(crate) peak: u64,
}

impl Child {
    /// Starts a child in a role, with what the role is to know.
    pub(crate) fn start(role: &str, settings: &[(&str, &str)]) -> Child {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = Mutex::new(process.stdin.take().unwrap());
        let output = BufReader::new(process.stdout.take().unwrap());
        let ((say, said), (measure, measured)) = (channel(), channel());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness prints the name of the test before, on the same line.
                if let Some((_, text)) = line.split_once(MARK) {
                    let _ = say.send(text.to_owned());
                } else if let Some((_, text)) = line.split_once(MEASURED) {
                    let (now, peak) = text.split_once(' ').unwrap();
                    let (now, peak) = (now.parse().unwrap(), peak.parse().unwrap());
                    let _ = measure.send(Allocated { now, peak });
                }
            }
        });
        Child { process, said, requests, measured: Mutex::new(measured) }
    }

    /// Measures the memory that the child has allocated.
    pub(crate) fn allocated(&self) -> Allocated {
        let measured = self.measured.lock().unwrap();
        writeln!(self.requests.lock().unwrap(), "measure").expect("the child runs");
        measured.recv_timeout(GENEROUS).expect("the child measures within the generous limit")
    }

    /// The next line that the child says; it must say one.
    pub(crate) fn hear(&self) -> String {
        self.said
            .recv_timeout(GENEROUS)
            .expect("the child says something within the generous limit")
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Waits until it has ended by itself; whether it was content.
    pub(crate) fn join(mut self) -> bool {
        self.process.wait().unwrap().success()
    }

    /// Sends a signal by its name, as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Holds it still, as `SIGSTOP` does; it is when this returns.
    #[cfg(target_os = "linux")]
    pub(crate) async fn stop(&self) {
        self.signal("STOP");
        let stopped = || self.status("State:").starts_with('T');
        until("each of its threads has stopped", stopped).await;
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    /// What the system says of it under a heading.
    #[cfg(target_os = "linux")]
    fn status(&self, heading: &str) -> String {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(heading));
        line.unwrap_or_else(|| panic!("no {heading}")).trim().to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The role that this process plays, if it is a child. Begins to answer its parent's requests to measure.
///
/// The process ends when its parent has, in whatever way: then its standard input ends.
pub(crate) fn role() -> Option<String> {
    let role = std::env::var(ROLE).ok()?;
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            let (now, peak) = (ALLOCATED.allocated(), ALLOCATED.max_allocated());
            write(&format!("{MEASURED}{now} {peak}"));
        }
        std::process::exit(1);
    });
    Some(role)
}

/// Says something to the parent.
pub(crate) fn say(text: &str) {
    write(&format!("{MARK}{text}"));
}

fn write(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).expect("the parent reads");
}

/// What a child was told.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("the child is told {name}"))
}
