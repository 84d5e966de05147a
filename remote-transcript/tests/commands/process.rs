//! Processes for the tests: their input, their output by lines, and their end.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The time limit of every wait: long, as only a test that fails waits for it.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A running command. It is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) output: Printed,
    pub(crate) notes: Printed,
}

/// The end of a command.
#[derive(Debug)]
pub(crate) struct End {
    /// The exit code; none after a signal.
    pub(crate) code: Option<i32>,
    /// The lines on standard output that were not read before.
    pub(crate) output: Vec<String>,
    /// The lines on standard error that were not read before.
    pub(crate) notes: Vec<String>,
}

/// The lines that a process prints. A thread reads them, so that tests can wait with a time limit.
pub(crate) struct Printed {
    /// Sends the number of further lines to read. Dropping it closes the stream.
    wanted: Option<Sender<usize>>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// A server and its address.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// The address of its Transcript.
    pub(crate) uri: String,
}

/// Returns the command with these arguments and a fixed environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remote-transcript"));
    command
        .args(arguments)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .env("USER", "tester")
        .env("TZ", "UTC");
    command
}

/// Runs a command without input until it exits.
pub(crate) fn run(arguments: &[&str]) -> End {
    run_with_input(arguments, b"")
}

/// Runs a command with this input until it exits.
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> End {
    let mut process = Process::start(arguments);
    process.feed(input);
    process.close_input();
    process.end()
}

impl Process {
    /// Starts a command with pipes for input and outputs.
    pub(crate) fn start(arguments: &[&str]) -> Process {
        let mut process = Process::start_unread(arguments);
        process.output.read_on();
        process
    }

    /// Starts a command, and reads of its output only the lines that the test asks for.
    pub(crate) fn start_unread(arguments: &[&str]) -> Process {
        Process::spawn(command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()))
    }

    /// Starts a prepared command. Streams that are not pipes have no lines here.
    pub(crate) fn spawn(command: &mut Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let output = child.stdout.take().map_or_else(Printed::nothing, Printed::by);
        let notes = child.stderr.take().map_or_else(Printed::nothing, Printed::by);
        Process { input: child.stdin.take(), child, output, notes }
    }

    /// Writes a line to its input.
    pub(crate) fn type_line(&mut self, line: &str) {
        self.feed(format!("{line}\n").as_bytes());
    }

    /// Writes to its input. Errors are ignored: the process may have exited.
    pub(crate) fn feed(&mut self, input: &[u8]) {
        let _ = self.input.as_mut().expect("the input is open").write_all(input);
    }

    /// Returns its input, for use on a thread.
    pub(crate) fn take_input(&mut self) -> ChildStdin {
        self.input.take().expect("the input is open")
    }

    /// Closes its input.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("the process runs");
    }

    /// Closes its input and waits until the process has exited.
    pub(crate) fn end(mut self) -> End {
        self.input = None;
        let output = self.output.rest();
        let notes = self.notes.rest();
        // Both outputs are closed, if they are pipes: the process has exited or will do so at once.
        let start = Instant::now();
        let code = loop {
            match self.child.try_wait().expect("a child can be waited for") {
                Some(status) => break status.code(),
                None => {
                    assert!(start.elapsed() < LIMIT, "the process does not exit; notes: {notes:?}")
                }
            }
            std::thread::yield_now();
        };
        End { code, output, notes }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Printed {
    fn nothing() -> Printed {
        Printed { wanted: None, lines: channel().1, seen: Vec::new() }
    }

    fn by(stream: impl Read + Send + 'static) -> Printed {
        let ((wanted, requests), (sender, lines)) = (channel(), channel());
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            for count in requests {
                for _ in 0..count {
                    let mut line = Vec::new();
                    let Ok(1..) = stream.read_until(b'\n', &mut line) else { return };
                    let text = String::from_utf8_lossy(&line);
                    if sender.send(text.trim_end_matches('\n').to_owned()).is_err() {
                        return;
                    }
                }
            }
        });
        Printed { wanted: Some(wanted), lines, seen: Vec::new() }
    }

    /// Reads all further lines as they arrive.
    pub(crate) fn read_on(&mut self) {
        self.want(usize::MAX);
    }

    /// Closes the stream.
    pub(crate) fn close(&mut self) {
        self.wanted = None;
        // The channel is disconnected when the thread has dropped its sender, and with it the stream.
        while self.lines.recv_timeout(LIMIT) != Err(RecvTimeoutError::Disconnected) {}
    }

    /// Waits for the next line.
    pub(crate) fn line(&mut self) -> String {
        self.want(1);
        let line = self.lines.recv_timeout(LIMIT);
        let line = line.unwrap_or_else(|_| panic!("no line is printed after {:?}", self.seen));
        self.seen.push(line.clone());
        line
    }

    /// Waits for a line that contains the text.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for the end, and returns all lines before it.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        self.read_on();
        let start = Instant::now();
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(LIMIT.saturating_sub(start.elapsed())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return lines,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the output does not end after {lines:?}")
                }
            }
        }
    }

    fn want(&self, count: usize) {
        if let Some(wanted) = &self.wanted {
            let _ = wanted.send(count); // an error means that the stream has ended
        }
    }
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start() -> Server {
        Server::with(&["--listen", "tcp://127.0.0.1:0"])
    }

    /// Starts a server with leases of this many seconds.
    pub(crate) fn with_lease(seconds: &str) -> Server {
        Server::with(&["--listen", "tcp://127.0.0.1:0", "--lease", seconds])
    }

    /// Starts a server that listens on this address.
    pub(crate) fn listening(uri: &str) -> Server {
        Server::with(&["--listen", uri])
    }

    fn with(options: &[&str]) -> Server {
        let mut process = Process::start(&[&["serve"], options].concat());
        let first = process.output.line();
        let uri = first
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("the first line is {first:?}"));
        Server { uri: uri.to_owned(), process }
    }

    /// Returns the address of the server's room.
    pub(crate) fn chat_uri(&self) -> String {
        format!("{}chat", self.uri.strip_suffix("transcript").expect("the Transcript's name"))
    }

    /// Starts a watcher, and waits until it is subscribed.
    pub(crate) fn watcher(&self, options: &[&str]) -> Process {
        let mut watcher = self.watcher_unread(options);
        watcher.output.read_on();
        watcher
    }

    /// Starts a watcher, and reads of its output only the lines that the test asks for.
    pub(crate) fn watcher_unread(&self, options: &[&str]) -> Process {
        let mut watcher = Process::start_unread(&[&["watch", "--to", &self.uri], options].concat());
        watcher.notes.line_with("watching");
        watcher
    }

    /// Starts a member of the room, and waits until it has joined.
    pub(crate) fn member(&self, name: &str) -> Process {
        let mut member = Process::start(&["chat", "--to", &self.chat_uri(), "--name", name]);
        member.output.line_with("here: ");
        member
    }
}
