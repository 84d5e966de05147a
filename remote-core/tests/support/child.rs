//! Owns child processes of a test: the test binary itself, run again in a role.
//!
//! It must not know the roles. A test binary that has children has a test named `child`, which plays the role named in
//! the environment, and does nothing where none is.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::{GENEROUS, until};

const ROLE: &str = "REMOTE_TEST_ROLE";
/// What a child says to its parent begins with this: the test harness speaks on the same stream.
const MARK: &str = "child says: ";

/// A child process, killed when it is dropped.
pub(crate) struct Child {
    process: std::process::Child,
    said: Receiver<String>,
}

impl Child {
    /// Starts a child in a role, with what the role is to know.
    pub(crate) fn start(role: &str, settings: &[(&str, &str)]) -> Child {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness prints the name of the test before, on the same line.
                if let Some((_, text)) = line.split_once(MARK) {
                    let _ = sender.send(text.to_owned());
                }
            }
        });
        Child { process, said }
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

    /// The memory that it has now, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident(&self) -> u64 {
        let kilobytes = self.status("VmRSS:");
        kilobytes.trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
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

/// The role that this process plays, if it is a child.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Says something to the parent.
pub(crate) fn say(text: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{MARK}{text}").and_then(|()| output.flush()).expect("the parent listens");
}

/// What a child was told.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("the child is told {name}"))
}
