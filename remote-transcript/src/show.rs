//! The command `show`: sends its arguments, or standard input line by line, to a Transcript. It must not know the
//! objects of the server.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use remote_core::{Node, Ref};

use crate::client::Client;
use crate::failure::{Code, Failure};
use crate::input::{self, Chunk};
use crate::shutdown::{GRACE, termination};
use crate::terminal::note;
use crate::transcript::{self, Transcript};
use crate::user_name;

/// The options of `show`.
#[derive(clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    client: Client,

    /// The name of the sender [default: the name of the user]
    #[arg(long, value_name = "NAME", value_parser = user_name::parse)]
    name: Option<String>,

    /// Skip the lines that have already arrived from this name with --continue
    #[arg(long = "continue", conflicts_with = "text")]
    continued: bool,

    /// One line to send; without it, each line of standard input is sent
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
}

impl Show {
    /// Sends the arguments, or standard input to its end.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let termination = termination()?;
        let name = self.name.clone().unwrap_or_else(user_name::user);
        let node = self.client.node(&name).await?;
        let outcome = self.show(&node, termination).await;
        node.shutdown(GRACE).await;
        outcome
    }

    async fn show(
        &self,
        node: &Node,
        termination: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        tokio::pin!(termination);
        let interrupted = || Failure::new(Code::Failed, "interrupted");
        let progress = progress();
        let bar = progress.clone();
        let note = move |text: &str| bar.suspend(|| note(text));
        let transcript: Ref<dyn Transcript> = tokio::select! {
            found = self.client.lookup(node, transcript::NAME, note) => found?,
            () = &mut termination => return Err(interrupted()),
        };
        if !self.text.is_empty() {
            let text = self.text.join(" ");
            return tokio::select! {
                shown = show_text(&transcript, &text) => shown,
                () = termination => Err(interrupted()),
            };
        }
        let mut transfer = Transfer { sent: 0, arrived: 0, damaged: 0, progress };
        let outcome = tokio::select! {
            outcome = transfer.run(&transcript, self.continued) => outcome,
            // At a terminal, Ctrl-C is a normal end, unless a line that was typed has not arrived.
            () = termination => match io::stdin().is_terminal() && transfer.sent == transfer.arrived {
                true => Ok(()),
                false => Err(interrupted()),
            },
        };
        transfer.finish(outcome)
    }
}

async fn show_text(transcript: &Ref<dyn Transcript>, text: &str) -> Result<(), Failure> {
    // A shell can pass a whole file as one argument; the Transcript takes single lines.
    if text.contains('\n') {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        transcript.show_all(&lines).await?;
    } else {
        transcript.show(text).await?;
    }
    Ok(())
}

/// The transfer of standard input.
struct Transfer {
    /// The number of lines that were sent or skipped.
    sent: u64,
    /// The number of sent or skipped lines that are known to have arrived.
    arrived: u64,
    /// The number of arrived lines that were not UTF-8.
    damaged: u64,
    progress: ProgressBar,
}

impl Transfer {
    /// Sends the input. One message has the lines that were read while the one before was in transit: one line from a
    /// keyboard, many from a file.
    async fn run(
        &mut self,
        transcript: &Ref<dyn Transcript>,
        continued: bool,
    ) -> Result<(), Failure> {
        let lost = Ref::monitor(transcript);
        let mut lost = std::pin::pin!(async { Failure::gone("the server", lost.await) });
        let before = if continued { arrived_before(transcript).await? } else { 0 };
        let mut chunks = input::lines(io::stdin());
        if io::stdin().is_terminal() {
            note("each line that you type is sent; Ctrl-D ends");
        }
        if !self.progress.is_hidden() {
            self.progress.enable_steady_tick(Duration::from_millis(100));
        }
        loop {
            let chunk = tokio::select! {
                chunk = chunks.recv() => chunk,
                failure = &mut lost => return Err(failure),
            };
            let Some(chunk) = chunk else { return Ok(()) };
            let (Chunk { lines, bytes, damaged }, end) =
                input::merge_waiting(&mut chunks, chunk.map_err(unreadable)?);
            self.sent += lines.len() as u64;
            let shown = if continued {
                let skipped = before.saturating_sub(self.arrived).min(lines.len() as u64);
                let rest = &lines[skipped as usize..];
                transcript.show_series(self.arrived + skipped, rest).await
            } else {
                transcript.show_all(&lines).await
            };
            if let Err(error) = shown {
                return Err(Failure::from(error).or_its_cause(lost).await);
            }
            self.arrived = self.sent;
            self.damaged += damaged;
            self.advance(bytes);
            end.map_err(unreadable)?;
        }
    }

    fn advance(&self, bytes: u64) {
        if !self.progress.is_hidden() {
            self.progress.set_message(indicatif::HumanCount(self.arrived).to_string());
            self.progress.inc(bytes);
        }
    }

    /// Prints the final notes, and adds the count of lines to a failure.
    fn finish(self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let Transfer { arrived, damaged, progress, .. } = self;
        progress.finish();
        if damaged > 0 {
            note(format_args!(
                "{damaged} lines were not UTF-8; invalid bytes were replaced by \u{fffd}"
            ));
        }
        outcome.map_err(|failure| {
            failure.with(format_args!("{arrived} lines are known to have arrived"))
        })
    }
}

/// Returns how many lines of the input have already arrived from an earlier process, and notes it.
async fn arrived_before(transcript: &Ref<dyn Transcript>) -> Result<u64, Failure> {
    let before = transcript.arrived().await?;
    if before > 0 {
        note(format_args!("{before} lines have arrived before; going on after them"));
    }
    Ok(before)
}

fn unreadable(error: io::Error) -> Failure {
    Failure::new(Code::Failed, format_args!("cannot read standard input: {error}"))
}

/// Creates the progress bar. It is hidden if standard input is a terminal, or standard error is not.
fn progress() -> ProgressBar {
    if io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match input_length() {
        Some(length) => {
            (ProgressBar::new(length), "{wide_bar} {bytes}/{total_bytes}, {msg} lines, {eta} left")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {msg} lines, {bytes_per_sec}"),
    };
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}

/// Returns the length of standard input, if it is a file.
#[cfg(unix)]
fn input_length() -> Option<u64> {
    use std::os::fd::AsFd;
    let input = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let metadata = input.metadata().ok()?;
    metadata.is_file().then_some(metadata.len())
}

#[cfg(not(unix))]
fn input_length() -> Option<u64> {
    None
}
