//! A simulated terminal: runs one command, types its input, and reads its output.
//!
//! It must not know transcripts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit for each event.
const LIMIT: Duration = Duration::from_secs(60);

/// A running command and all processes that it has started.
pub(crate) struct Terminal {
    command: String,
    child: Child,
    input: Option<ChildStdin>,
    printed: Receiver<String>,
    stopped: bool,
}

impl Terminal {
    /// Starts a shell command. A netcat with `-l` is listening when this returns.
    pub(crate) fn start(command: &str) -> Terminal {
        let listens = command.starts_with("nc -l");
        let shell = match listens {
            true => command.replacen("nc -l", "nc -v -l", 1), // reports on standard error when it listens
            false => format!("{{ {command}\n}} 2>&1"),
        };
        let mut child = Command::new("sh")
            .args(["-c", &shell])
            .env_remove("RUST_BACKTRACE")
            .process_group(0) // `stop` ends the whole group
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if listens { Stdio::piped() } else { Stdio::inherit() })
            .spawn()
            .unwrap();
        let printed = lines(child.stdout.take().expect("it was piped"));
        if let Some(stderr) = child.stderr.take() {
            let reported = lines(stderr).recv_timeout(LIMIT).unwrap_or_default();
            assert!(reported.starts_with("Listening on"), "`{command}`: {reported}");
        }
        let input = child.stdin.take();
        Terminal { command: command.to_owned(), child, input, printed, stopped: false }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input has not ended");
        // In one write: `writeln!` makes two, and `nc -u` sends a datagram for each.
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Returns the next line of its output; `wanted` describes it in a failure.
    pub(crate) fn next_line(&mut self, wanted: &str) -> String {
        match self.printed.recv_timeout(LIMIT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                panic!("`{}` printed nothing for {LIMIT:?}; expected: {wanted}", self.command)
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("`{}` has closed its output; expected: {wanted}", self.command)
            }
        }
    }

    /// Kills it and all processes that it started, if it has not ended. SIGINT would not do: a process that is started in the
    /// background ignores it.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        if self.child.try_wait().unwrap().is_none() {
            let group = format!("-{}", self.child.id());
            let killed =
                Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
            let _ = killed; // fails if it has ended meanwhile
        }
    }

    /// Waits for its end. It must print nothing more, and succeed unless it was stopped.
    pub(crate) fn ends(&mut self, wanted: &str) {
        let rest = self.rest();
        assert!(rest.is_empty(), "`{}` also printed:\n{rest}before: {wanted}", self.command);
        let status = self.status();
        assert!(status.success() || self.stopped, "`{}` failed: {status}", self.command);
    }

    /// Returns what it still prints until it ends.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        let until = Instant::now() + LIMIT;
        loop {
            match self.printed.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => rest = rest + &line + "\n",
                Err(RecvTimeoutError::Disconnected) => return rest,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("`{}` did not end for {LIMIT:?}; it printed:\n{rest}", self.command)
                }
            }
        }
    }

    /// Waits for its exit status. Its output must have ended.
    pub(crate) fn status(&mut self) -> ExitStatus {
        self.input = None;
        self.child.wait().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.stop();
        let _ = self.child.wait();
    }
}

/// Sends the lines of a stream as they arrive.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line); // read on even without a receiver, so that the writer does not block
        }
    });
    receiver
}

/// Returns the path of a built example, relative to the test executable.
pub(crate) fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let example = tests.parent().unwrap().with_file_name("examples").join(file);
    assert!(
        example.exists(),
        "{} is not built: `cargo build -p examples --examples`",
        example.display()
    );
    example
}

/// Returns a port on which nothing listens, below the range from which the system takes ports for connections.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Each process uses a range of 64 ports of its own, so that parallel runs of the tests do not collide.
        let next = (std::process::id() % 256) * 64 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(15_000 + next % 16_384).expect("below 32,768");
        // Do not test by listening: a process that another test starts at that moment would inherit the socket.
        if TcpStream::connect(("127.0.0.1", port)).is_err() {
            return port;
        }
    }
}
