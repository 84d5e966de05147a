//! The processes of the demo: their input, their output, and their end. It must not know what the demo does with them.

use std::fmt::Write as _;
use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use super::{failed, tally};
use crate::failure::Failure;
use crate::terminal::Screen;

/// A process. It exits when its input or its server ends, and is killed when this is dropped.
pub(super) struct Process {
    name: &'static str,
    process: Child,
    input: Option<ChildStdin>,
    output: Option<Output<ChildStdout>>,
    notes: Output<ChildStderr>,
}

/// A stream of lines.
pub(super) type Output<O> = Lines<BufReader<O>>;

/// The output of the demo.
pub(super) struct Console(Screen);

impl Console {
    pub(super) fn new() -> Console {
        Console(Screen::new(false))
    }

    /// Prints a line.
    pub(super) async fn print(&self, line: impl std::fmt::Display) {
        // Errors are ignored: the exit code has the result, too.
        let _ = self.0.print(&format!("{line}\n")).await;
    }

    /// Starts a process, and prints its command line.
    pub(super) async fn start(
        &self,
        name: &'static str,
        arguments: &[&str],
    ) -> Result<Process, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        self.print(format_args!("$ remote-transcript {}", arguments.join(" "))).await;
        Ok(Process {
            name,
            input: process.stdin.take(),
            output: Some(lines_of(process.stdout.take())?),
            notes: lines_of(process.stderr.take())?,
            process,
        })
    }
}

impl Process {
    /// Returns its output. It can be taken once.
    pub(super) fn output(&mut self) -> Result<Output<ChildStdout>, Failure> {
        self.output.take().ok_or_else(|| failed("the output of a process was taken twice"))
    }

    /// Returns its input, which ends when it is dropped. It can be taken once.
    pub(super) fn input(&mut self) -> Result<ChildStdin, Failure> {
        self.input.take().ok_or_else(|| failed("the input of a process was taken twice"))
    }

    /// Prints its notes until one contains `what`.
    pub(super) async fn wait_for_note(
        &mut self,
        what: &str,
        console: &Console,
    ) -> Result<(), Failure> {
        while let Some(note) = self.notes.next_line().await? {
            self.show(&note, console).await;
            if note.contains(what) {
                return Ok(());
            }
        }
        Err(failed(format_args!("{} exited without the note: {what}", self.name)))
    }

    /// Closes its input, prints the rest of its notes, and waits until it has exited. Returns an error if it failed.
    pub(super) async fn wait(&mut self, console: &Console) -> Result<(), Failure> {
        drop(self.input.take());
        while let Some(note) = self.notes.next_line().await? {
            self.show(&note, console).await;
        }
        let status = self.process.wait().await?;
        if status.success() {
            Ok(())
        } else {
            Err(failed(format_args!("{} exited with {status}", self.name)))
        }
    }

    /// Kills it.
    pub(super) async fn kill(&mut self) -> io::Result<()> {
        self.process.kill().await
    }

    async fn show(&self, note: &str, console: &Console) {
        let note = note.strip_prefix("remote-transcript: ").unwrap_or(note);
        console.print(format_args!("    {}: {note}", self.name)).await;
    }
}

/// Writes all lines to a writer, and ends its input. Waits before a line whose number is greater than the current
/// `limit`.
pub(super) async fn feed(
    mut input: ChildStdin,
    lines: u64,
    mut limit: watch::Receiver<u64>,
) -> io::Result<()> {
    let mut page = String::new();
    for number in 1..=lines {
        if page.len() > 4096 || number > *limit.borrow() {
            input.write_all(page.as_bytes()).await?;
            page.clear();
            // An error means that nobody can raise the limit any more.
            limit.wait_for(|limit| number <= *limit).await.map_err(io::Error::other)?;
        }
        writeln!(page, "{}", tally::text(number, lines)).unwrap_or_default();
    }
    input.write_all(page.as_bytes()).await
}

fn lines_of<O: AsyncRead>(output: Option<O>) -> Result<Output<O>, Failure> {
    output
        .map(|output| BufReader::new(output).lines())
        .ok_or_else(|| failed("a process has no output"))
}
