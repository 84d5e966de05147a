//! The command `watch`: prints the lines of a Transcript, which the server sends to an object of the command. It must
//! not know the objects of the server.

use remote_core::{Error, Node, Ref, Remote, remote};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::failure::{Code, Failure};
use crate::gap_counter::GapCounter;
use crate::shutdown::{GRACE, termination};
use crate::terminal::{Screen, note};
use crate::transcript::{self, Line, Listener, Transcript};

/// The options of `watch`.
#[derive(clap::Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    client: Client,

    /// Print only the text, without time and sender, for pipes
    #[arg(long)]
    plain: bool,

    /// Begin with the last N lines that the server still has
    #[arg(long, value_name = "N", default_value_t = 0)]
    last: u64,
}

impl Watch {
    /// Prints lines until the server ends, the output is closed, or the user interrupts.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let termination = termination()?;
        let node = self.client.node("").await?;
        let outcome = tokio::select! {
            outcome = self.watch(&node) => outcome,
            () = termination => Ok(()),
        };
        node.shutdown(GRACE).await;
        outcome
    }

    async fn watch(&self, node: &Node) -> Result<(), Failure> {
        let transcript: Ref<dyn Transcript> =
            self.client.lookup(node, transcript::NAME, |text| note(text)).await?;
        let lost = Ref::monitor(&transcript);
        let (watcher, mut over) = Watcher::new(Screen::new(self.plain));
        transcript.subscribe(Ref::new(watcher), self.last).await?;
        note(format_args!("watching {}", self.client.uri(transcript::NAME)));
        let missed = tokio::select! {
            biased; // a server that shuts down notifies its watchers before the session ends
            Some(over) = over.recv() => match over {
                Over::Closed { missed } => missed,
                Over::OutputClosed => 0,
            },
            ended = lost => return Err(Failure::gone("the server", ended)),
        };
        if missed == 0 {
            return Ok(());
        }
        let text = format_args!("{missed} lines were missed: the output is read too slowly");
        Err(Failure::new(Code::Failed, text))
    }
}

/// The object that receives the lines and prints them.
#[derive(Remote)]
#[remote(Listener, name = "remote_transcript::Watcher")]
pub(crate) struct Watcher {
    screen: Screen,
    gaps: GapCounter,
    over: mpsc::Sender<Over>,
}

/// The reason for which a watcher ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Over {
    /// The Transcript has ended; this many of its lines are missing here.
    Closed { missed: u64 },
    /// Standard output was closed.
    OutputClosed,
}

impl Watcher {
    /// Creates a watcher, and the channel that receives the reason for its end.
    pub(crate) fn new(screen: Screen) -> (Watcher, mpsc::Receiver<Over>) {
        let (over, receiver) = mpsc::channel(1);
        (Watcher { screen, gaps: GapCounter::default(), over }, receiver)
    }
}

#[remote]
impl Listener for Watcher {
    async fn lines(&self, first: u64, lines: Vec<Line>) -> remote_core::Result<()> {
        let format = self.screen.format();
        let mut page = String::new();
        match self.gaps.count(first, lines.len()) {
            0 => {}
            gap if format.plain => note(format_args!("{gap} lines were missed")),
            gap => format.remark(&mut page, &format!("{gap} lines were missed")),
        }
        for line in &lines {
            format.line(&mut page, line.time, &line.sender, &line.text);
        }
        let shown = self.screen.print(&page).await;
        if shown.is_err() {
            let _ = self.over.try_send(Over::OutputClosed); // full: there is a reason already
        }
        shown.map_err(Error::from)
    }

    async fn closed(&self) -> remote_core::Result<()> {
        let _ = self.over.try_send(Over::Closed { missed: self.gaps.missed() });
        Ok(())
    }
}
