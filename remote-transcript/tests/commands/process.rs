//! Owns the processes of the tests: what they print, line by line, what is typed into them, and that none is left behind.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take that is expected: generous, since it is only waited for by a test that fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A running command. It is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) output: Printed,
    pub(crate) notes: Printed,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct End {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed on standard output since it was looked at last.
    pub(crate) output: Vec<String>,
    /// The same of standard error.
    pub(crate) notes: Vec<String>,
}

/// The lines that a process prints, read by a thread so that none waits for ever.
pub(crate) struct Printed {
    /// How many lines more are to be read. The stream is closed with it.
    wanted: Option<Sender<usize>>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// A server and where it listens.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// The address of its Transcript.
    pub(crate) uri: String,
}

/// The command with these arguments, as it is started in a clean environment.
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

/// Runs a command without input to its end.
pub(crate) fn run(arguments: &[&str]) -> End {
    run_with_input(arguments, b"")
}

/// Runs a command with this input to its end.
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> End {
    let mut process = Process::start(arguments);
    process.feed(input);
    process.close_input();
    process.end()
}

impl Process {
    /// Starts a command with pipes at all ends.
    pub(crate) fn start(arguments: &[&str]) -> Process {
        let mut process = Process::start_unread(arguments);
        process.output.read_on();
        process
    }

    /// The same, and reads of its output only what the test asks for.
    pub(crate) fn start_unread(arguments: &[&str]) -> Process {
        Process::spawn(command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()))
    }

    /// Starts what was prepared; ends that are no pipes print nothing here.
    pub(crate) fn spawn(command: &mut Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let output = child.stdout.take().map_or_else(Printed::nothing, Printed::by);
        let notes = child.stderr.take().map_or_else(Printed::nothing, Printed::by);
        Process { input: child.stdin.take(), child, output, notes }
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        self.feed(format!("{line}\n").as_bytes());
    }

    /// Gives the process some input; one that has ended already does not take it.
    pub(crate) fn feed(&mut self, input: &[u8]) {
        let _ = self.input.as_mut().expect("the input is open").write_all(input);
    }

    /// Where the input is written, to be used from a thread.
    pub(crate) fn take_input(&mut self) -> ChildStdin {
        self.input.take().expect("the input is open")
    }

    /// Ends the input.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("the process runs");
    }

    /// Waits until the process has ended.
    pub(crate) fn end(mut self) -> End {
        self.input = None;
        let output = self.output.rest();
        let notes = self.notes.rest();
        // Both of its outputs are closed: it has ended or is about to, unless they were none of ours.
        let begun = Instant::now();
        let code = loop {
            match self.child.try_wait().expect("a child can be waited for") {
                Some(status) => break status.code(),
                None => {
                    assert!(begun.elapsed() < LIMIT, "the process does not end; it noted {notes:?}")
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
        let ((wanted, wishes), (sender, lines)) = (channel(), channel());
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            for count in wishes {
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

    /// Reads from now on whatever comes, whether somebody asks for it or not.
    pub(crate) fn read_on(&mut self) {
        self.want(usize::MAX);
    }

    /// Closes the stream, as a reader does who has seen enough.
    pub(crate) fn close(&mut self) {
        self.wanted = None;
        // The thread is done when it has dropped the other end, and with it the stream.
        while self.lines.recv_timeout(LIMIT) != Err(RecvTimeoutError::Disconnected) {}
    }

    /// The next line.
    pub(crate) fn line(&mut self) -> String {
        self.want(1);
        let line = self.lines.recv_timeout(LIMIT);
        let line = line.unwrap_or_else(|_| panic!("nothing more is printed after {:?}", self.seen));
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

    /// All lines to the end.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        self.read_on();
        let begun = Instant::now();
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(LIMIT.saturating_sub(begun.elapsed())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return lines,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the process does not end after {lines:?}")
                }
            }
        }
    }

    fn want(&self, count: usize) {
        if let Some(wanted) = &self.wanted {
            let _ = wanted.send(count); // nobody takes it at the end of the stream, where it is not needed
        }
    }
}

impl Server {
    /// A server at a free port of this machine.
    pub(crate) fn start() -> Server {
        Server::with(&["--listen", "tcp://127.0.0.1:0"])
    }

    /// The same, with leases that are over soon, in so many seconds.
    pub(crate) fn with_lease(seconds: &str) -> Server {
        Server::with(&["--listen", "tcp://127.0.0.1:0", "--lease", seconds])
    }

    /// A server that listens there.
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

    /// The address of the server's room.
    pub(crate) fn chat_uri(&self) -> String {
        format!("{}chat", self.uri.strip_suffix("transcript").expect("the Transcript's name"))
    }

    /// A watcher that has been subscribed.
    pub(crate) fn watcher(&self, options: &[&str]) -> Process {
        let mut watcher = self.watcher_unread(options);
        watcher.output.read_on();
        watcher
    }

    /// The same, and reads of its output only what the test asks for.
    pub(crate) fn watcher_unread(&self, options: &[&str]) -> Process {
        let mut watcher = Process::start_unread(&[&["watch", "--to", &self.uri], options].concat());
        watcher.notes.line_with("watching");
        watcher
    }

    /// A member of the room that has joined.
    pub(crate) fn member(&self, name: &str) -> Process {
        let mut member = Process::start(&["chat", "--to", &self.chat_uri(), "--name", name]);
        member.output.line_with("here: ");
        member
    }
}
