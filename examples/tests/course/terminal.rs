//! Owns a terminal as the tests play it: one command, what is typed to it, what it prints. It must not know what for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that should happen.
const LIMIT: Duration = Duration::from_secs(60);

/// A command that runs, with all that it has started.
pub(crate) struct Terminal {
    command: String,
    child: Child,
    input: Option<ChildStdin>,
    printed: Receiver<String>,
    stopped: bool,
}

impl Terminal {
    /// Starts a command of the shell's. If it is a netcat that listens, it does when this returns.
    pub(crate) fn start(command: &str) -> Terminal {
        let listens = command.starts_with("nc -l");
        let shell = match listens {
            true => command.replacen("nc -l", "nc -v -l", 1), // which says on standard error when it listens
            false => format!("{{ {command}\n}} 2>&1"),
        };
        let mut child = Command::new("sh")
            .args(["-c", &shell])
            .env_remove("RUST_BACKTRACE")
            .process_group(0) // what it starts is ended with it
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if listens { Stdio::piped() } else { Stdio::inherit() })
            .spawn()
            .unwrap();
        let printed = lines(child.stdout.take().expect("it was piped"));
        if let Some(stderr) = child.stderr.take() {
            let told = lines(stderr).recv_timeout(LIMIT).unwrap_or_default();
            assert!(told.starts_with("Listening on"), "`{command}`: {told}");
        }
        let input = child.stdin.take();
        Terminal { command: command.to_owned(), child, input, printed, stopped: false }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("its input has not ended");
        writeln!(input, "{line}").unwrap();
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// The next line that it prints; `wanted` says what for.
    pub(crate) fn next_line(&mut self, wanted: &str) -> String {
        match self.printed.recv_timeout(LIMIT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                panic!("`{}` printed nothing for {LIMIT:?}: {wanted}", self.command)
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("`{}` prints no more: {wanted}", self.command)
            }
        }
    }

    /// Ends it and all that it started, if it has not ended. Not by the signal of Ctrl-C: what is started in the background
    /// ignores that, and so would all that its tests start.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        if self.child.try_wait().unwrap().is_none() {
            let group = format!("-{}", self.child.id());
            let killed =
                Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
            let _ = killed; // if it was gone before, that is as good
        }
    }

    /// Waits for its end, which must be a good one unless it was made to; it has printed nothing more.
    pub(crate) fn ends(&mut self, wanted: &str) {
        let rest = self.rest();
        assert!(rest.is_empty(), "`{}` also printed:\n{rest}before: {wanted}", self.command);
        let status = self.status();
        assert!(status.success() || self.stopped, "`{}` failed: {status}", self.command);
    }

    /// What it still prints until it ends.
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

    /// How it ended; to be asked when it prints no more.
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

/// The lines of a stream, as they come, for as long as there are any.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line); // read on, also if nobody wants it: the writer must not stand still
        }
    });
    receiver
}

/// An example, built; they are beside the tests of their package.
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

/// A port that nobody listens at: below those that the system gives to connections, so that none of them takes it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Who runs the tests at the same time tries others: the next process has the next 64.
        let next = (std::process::id() % 256) * 64 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(15_000 + next % 16_384).expect("below 32,768");
        // Not by listening there: a process that another test starts just then would have the socket, too, for a moment.
        if TcpStream::connect(("127.0.0.1", port)).is_err() {
            return port;
        }
    }
}
