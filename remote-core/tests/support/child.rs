//! Child processes of a test: the test binary, started again in a role; and the memory of each process.
//!
//! It must not know the roles. A test binary with children has a test named `child`, which runs the role that is named
//! in the environment, and does nothing if none is.

use std::alloc::System;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use cap::Cap;

use super::TIME_LIMIT;
#[cfg(target_os = "linux")]
use super::until;

const ROLE: &str = "REMOTE_TEST_ROLE";
/// The prefix of messages to the parent: the test harness writes to the same stream.
const MARK: &str = "child says: ";
/// The prefix of the answer to a request to measure.
const MEASURED: &str = "child has allocated: ";

/// Counts the bytes that the process has allocated and not freed. The resident set is no measure of that: it includes
/// memory that the allocator keeps, which depends on the machine.
#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// A child process, which is killed when this is dropped.
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
    /// The maximum since the process started.
    pub(crate) peak: u64,
}

impl Child {
    /// Starts a child in a role, with settings in its environment.
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
                // The harness prints the name of the test in front, on the same line.
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
        measured.recv_timeout(TIME_LIMIT).expect("the child measures within the generous limit")
    }

    /// Returns the next message of the child. Panics if none arrives in time.
    pub(crate) fn receive(&self) -> String {
        self.said
            .recv_timeout(TIME_LIMIT)
            .expect("the child says something within the generous limit")
    }

    /// Kills the process, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Waits until the process has ended by itself. Returns true if it succeeded.
    pub(crate) fn join(mut self) -> bool {
        self.process.wait().unwrap().success()
    }

    /// Sends a signal, given by its name, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Stops the process, as `SIGSTOP` does, and waits until it is stopped.
    #[cfg(target_os = "linux")]
    pub(crate) async fn stop(&self) {
        self.signal("STOP");
        let stopped = || self.status("State:").starts_with('T');
        until("each of its threads has stopped", stopped).await;
    }

    /// Continues a stopped process.
    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    /// Returns a field of the status that the system reports.
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

/// Returns the role of this process, if it is a child. Starts to answer the parent's requests to measure.
///
/// The process ends when its parent has ended in any way: then its standard input ends.
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

/// Sends a message to the parent.
pub(crate) fn report(text: &str) {
    write(&format!("{MARK}{text}"));
}

fn write(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).expect("the parent reads");
}

/// Returns a setting that the parent passed.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("the parent sets {name}"))
}
