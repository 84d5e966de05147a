//! The command `show`: sends its arguments, or standard input line by line, to a Transcript.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use remote_core::{Node, Ref};

use crate::address;
use crate::ending::FAREWELL;
use crate::failure::{Code, Failure};
use crate::input::{self, Chunk};
use crate::name;
use crate::terminal::note;
use crate::transcript::{self, Transcript};

/// What `show` is asked for.
#[derive(clap::Args)]
pub(crate) struct Show {
    /// Where the Transcript is
    #[arg(long, value_name = "URI", default_value = address::DEFAULT)]
    to: String,

    /// Who says so [default: the user's name]
    #[arg(long, value_name = "NAME", value_parser = name::parse)]
    name: Option<String>,

    /// What to show, as one line; without it each line of standard input, as it comes
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
}

impl Show {
    /// Shows the arguments, or standard input to its end.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let name = self.name.unwrap_or_else(name::user);
        let node = Node::builder().name(&name).start().await?;
        let outcome = show(&node, &self.to, &self.text).await;
        node.shutdown(FAREWELL).await;
        outcome
    }
}

async fn show(node: &Node, to: &str, text: &[String]) -> Result<(), Failure> {
    let uri = address::named(to, transcript::NAME);
    let transcript: Ref<dyn Transcript> = node.lookup(&uri).await?;
    if text.is_empty() {
        show_input(&transcript).await
    } else {
        show_text(&transcript, &text.join(" ")).await
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

/// Sends what was read while the message before was on its way: one line when somebody types, many from a file.
async fn show_input(transcript: &Ref<dyn Transcript>) -> Result<(), Failure> {
    let (mut arrived, mut damaged) = (0, 0);
    let mut chunks = input::lines(io::stdin());
    if io::stdin().is_terminal() {
        note("each line that you type is shown; Ctrl-D ends");
    }
    let progress = progress();
    let mut lost = std::pin::pin!(Ref::monitor(transcript));
    let outcome = loop {
        let chunk = tokio::select! {
            chunk = chunks.recv() => chunk,
            ended = &mut lost => break Err(Failure::gone("the server", ended)),
        };
        let chunk = match chunk {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => break Err(unreadable(error)),
            None => break Ok(()),
        };
        let (Chunk { lines, bytes, damaged: damaged_here }, end) =
            input::merge_waiting(&mut chunks, chunk);
        if let Err(error) = transcript.show_all(&lines).await {
            break Err(error.into());
        }
        arrived += lines.len() as u64;
        damaged += damaged_here;
        advance(&progress, arrived, bytes);
        if let Err(error) = end {
            break Err(unreadable(error));
        }
    };
    progress.finish();
    if damaged > 0 {
        note(format_args!(
            "{damaged} lines were not UTF-8; what could not be read is shown as \u{fffd}"
        ));
    }
    outcome.map_err(|failure: Failure| {
        failure.but(format_args!("{arrived} lines are known to have arrived"))
    })
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
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn advance(progress: &ProgressBar, lines: u64, bytes: u64) {
    if !progress.is_hidden() {
        progress.set_message(indicatif::HumanCount(lines).to_string());
        progress.inc(bytes);
    }
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
