//! Owns the processes of the demo: what goes into them, what they say, and that none is left behind. Knows nothing of what
//! is played.

use std::fmt::Write as _;
use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

use super::{failed, tally};
use crate::failure::Failure;
use crate::terminal::Screen;

/// A process of the scene. It ends when its input or its server ends, and at the latest when it is dropped here: none
/// stays, whatever happens.
pub(super) struct Player {
    name: &'static str,
    process: Child,
    input: Option<ChildStdin>,
    output: Option<Output<ChildStdout>>,
    notes: Output<ChildStderr>,
}

/// Lines as they come.
pub(super) type Output<O> = Lines<BufReader<O>>;

/// What the user of the demo sees.
pub(super) struct Stage(Screen);

impl Stage {
    pub(super) fn new() -> Stage {
        Stage(Screen::new(false))
    }

    /// Shows a line.
    pub(super) async fn tell(&self, line: impl std::fmt::Display) {
        // The exit code says it as well, if nobody reads.
        let _ = self.0.print(&format!("{line}\n")).await;
    }

    /// Starts a process, and shows what one would type to start it.
    pub(super) async fn enter(
        &self,
        name: &'static str,
        arguments: &[&str],
    ) -> Result<Player, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        self.tell(format_args!("$ remote-transcript {}", arguments.join(" "))).await;
        Ok(Player {
            name,
            input: process.stdin.take(),
            output: Some(lines_of(process.stdout.take())?),
            notes: lines_of(process.stderr.take())?,
            process,
        })
    }
}

impl Player {
    /// What it shows, for whoever asks first.
    pub(super) fn output(&mut self) -> Result<Output<ChildStdout>, Failure> {
        self.output.take().ok_or_else(|| failed("a process is read twice"))
    }

    /// Its input, for whoever asks first. It ends when that is dropped.
    pub(super) fn input(&mut self) -> Result<ChildStdin, Failure> {
        self.input.take().ok_or_else(|| failed("a process is written to twice"))
    }

    /// Waits until it notes something of this kind, and shows that.
    pub(super) async fn notes(&mut self, what: &str, stage: &Stage) -> Result<(), Failure> {
        while let Some(note) = self.notes.next_line().await? {
            self.show(&note, stage).await;
            if note.contains(what) {
                return Ok(());
            }
        }
        Err(failed(format_args!("{} ended and never noted: {what}", self.name)))
    }

    /// Waits until it ends, shows the rest of its notes, and fails if it failed.
    pub(super) async fn ends(&mut self, stage: &Stage) -> Result<(), Failure> {
        drop(self.input.take());
        while let Some(note) = self.notes.next_line().await? {
            self.show(&note, stage).await;
        }
        let status = self.process.wait().await?;
        if status.success() {
            Ok(())
        } else {
            Err(failed(format_args!("{} ended with {status}", self.name)))
        }
    }

    /// Ends it without a word.
    pub(super) async fn kill(&mut self) -> io::Result<()> {
        self.process.kill().await
    }

    async fn show(&self, note: &str, stage: &Stage) {
        let note = note.strip_prefix("remote-transcript: ").unwrap_or(note);
        stage.tell(format_args!("    {}: {note}", self.name)).await;
    }
}

/// Gives a writer all of its lines, and ends its input; those after the one that is `open` wait until they are open, too.
pub(super) async fn feed(
    mut input: ChildStdin,
    lines: u64,
    mut open: watch::Receiver<u64>,
) -> io::Result<()> {
    let mut page = String::new();
    for number in 1..=lines {
        if page.len() > 4096 || number > *open.borrow() {
            input.write_all(page.as_bytes()).await?;
            page.clear();
            // When nobody is left who could open more, it is over.
            open.wait_for(|open| number <= *open).await.map_err(io::Error::other)?;
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
