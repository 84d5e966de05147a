//! The command `show`: sends its arguments, or standard input line by line, to a Transcript.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use remote_core::{Node, Ref};

use crate::client::Client;
use crate::ending::{FAREWELL, asked_to_end};
use crate::failure::{Code, Failure};
use crate::input::{self, Chunk};
use crate::name;
use crate::terminal::note;
use crate::transcript::{self, Transcript};

/// What `show` is asked for.
#[derive(clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    client: Client,

    /// Who says so [default: the user's name]
    #[arg(long, value_name = "NAME", value_parser = name::parse)]
    name: Option<String>,

    /// Leave out as many lines as have arrived from this name with --continue before
    #[arg(long = "continue", conflicts_with = "text")]
    goes_on: bool,

    /// What to show, as one line; without it each line of standard input, as it comes
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
}

impl Show {
    /// Shows the arguments, or standard input to its end.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let asked_to_end = asked_to_end()?;
        let name = self.name.clone().unwrap_or_else(name::user);
        let node = self.client.node(&name).await?;
        let outcome = self.show(&node, asked_to_end).await;
        node.shutdown(FAREWELL).await;
        outcome
    }

    async fn show(
        &self,
        node: &Node,
        asked_to_end: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        tokio::pin!(asked_to_end);
        let interrupted = || Failure::new(Code::Failed, "interrupted");
        let progress = progress();
        let bar = progress.clone();
        let tell = move |told: &str| bar.suspend(|| note(told));
        let transcript: Ref<dyn Transcript> = tokio::select! {
            found = self.client.lookup(node, transcript::NAME, tell) => found?,
            () = &mut asked_to_end => return Err(interrupted()),
        };
        if !self.text.is_empty() {
            let text = self.text.join(" ");
            return tokio::select! {
                shown = show_text(&transcript, &text) => shown,
                () = asked_to_end => Err(interrupted()),
            };
        }
        let mut shown = Shown { sent: 0, arrived: 0, damaged: 0, progress };
        let outcome = tokio::select! {
            outcome = shown.show_input(&transcript, self.goes_on) => outcome,
            // At a keyboard that is a way to end as any other, unless something that was typed is still on its way.
            () = asked_to_end => match io::stdin().is_terminal() && shown.sent == shown.arrived {
                true => Ok(()),
                false => Err(interrupted()),
            },
        };
        shown.finish(outcome)
    }
}

async fn show_text(transcript: &Ref<dyn Transcript>, text: &str) -> Result<(), Failure> {
    // A shell passes whole files on as one argument; the Transcript wants a line each.
    if text.contains('\n') {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        transcript.show_all(&lines).await?;
    } else {
        transcript.show(text).await?;
    }
    Ok(())
}

/// How much of standard input was shown.
struct Shown {
    /// How many lines were sent, or need not be.
    sent: u64,
    /// How many of them are known to have arrived.
    arrived: u64,
    /// How many of these were not UTF-8.
    damaged: u64,
    progress: ProgressBar,
}

impl Shown {
    /// Sends what was read while the message before was on its way: one line when somebody types, many from a file.
    async fn show_input(
        &mut self,
        transcript: &Ref<dyn Transcript>,
        goes_on: bool,
    ) -> Result<(), Failure> {
        let lost = Ref::monitor(transcript);
        let mut lost = std::pin::pin!(async { Failure::gone("the server", lost.await) });
        let before = if goes_on { arrived_before(transcript).await? } else { 0 };
        let mut chunks = input::lines(io::stdin());
        if io::stdin().is_terminal() {
            note("each line that you type is shown; Ctrl-D ends");
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
            let shown = if goes_on {
                let left_out = before.saturating_sub(self.arrived).min(lines.len() as u64);
                let rest = &lines[left_out as usize..];
                transcript.show_series(self.arrived + left_out, rest).await
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

    /// Tells what is to be told at the end.
    fn finish(self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let Shown { arrived, damaged, progress, .. } = self;
        progress.finish();
        if damaged > 0 {
            note(format_args!(
                "{damaged} lines were not UTF-8; what could not be read is shown as \u{fffd}"
            ));
        }
        outcome.map_err(|failure| {
            failure.but(format_args!("{arrived} lines are known to have arrived"))
        })
    }
}

/// How many lines of the input need not be sent, because a former life of this command has.
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

/// A bar for people who wait for a pipe or a file; who types sees what is sent anyway.
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

/// How much there is to read, if standard input is a file.
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
