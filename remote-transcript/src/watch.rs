//! The command `watch`: mirrors a Transcript, through an object of its own that the server calls.

use remote_core::{Error, Node, Ref, Remote, remote};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::ending::{FAREWELL, asked_to_end};
use crate::failure::{Code, Failure};
use crate::heard::Heard;
use crate::terminal::{Screen, note};
use crate::transcript::{self, Line, Listener, Transcript};

/// What `watch` is asked for.
#[derive(clap::Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    client: Client,

    /// Show the bare text, a line each, for pipes
    #[arg(long)]
    plain: bool,

    /// Begin with the last N lines, as far as the server still has them
    #[arg(long, value_name = "N", default_value_t = 0)]
    last: u64,
}

impl Watch {
    /// Watches until the server ends, nobody reads any more, or the user has seen enough.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let asked_to_end = asked_to_end()?;
        let node = self.client.node("").await?;
        let outcome = tokio::select! {
            outcome = self.watch(&node) => outcome,
            () = asked_to_end => Ok(()),
        };
        node.shutdown(FAREWELL).await;
        outcome
    }

    async fn watch(&self, node: &Node) -> Result<(), Failure> {
        let transcript: Ref<dyn Transcript> =
            self.client.lookup(node, transcript::NAME, |told| note(told)).await?;
        let lost = Ref::monitor(&transcript);
        let (watcher, mut over) = Watcher::new(Screen::new(self.plain));
        transcript.subscribe(Ref::new(watcher), self.last).await?;
        note(format_args!("watching {}", self.client.uri(transcript::NAME)));
        let missed = tokio::select! {
            biased; // the server says that it ends before it ends
            Some(over) = over.recv() => match over {
                Over::Closed { missed } => missed,
                Over::NobodyReads => 0,
            },
            ended = lost => return Err(Failure::gone("the server", ended)),
        };
        if missed == 0 {
            return Ok(());
        }
        let told = format_args!("{missed} lines were missed: the output is read too slowly");
        Err(Failure::new(Code::Failed, told))
    }
}

/// A listener that shows what it hears.
#[derive(Remote)]
#[remote(Listener, name = "remote_transcript::Watcher")]
pub(crate) struct Watcher {
    screen: Screen,
    heard: Heard,
    over: mpsc::Sender<Over>,
}

/// Why a watcher ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Over {
    /// All of the Transcript was heard but so many lines.
    Closed { missed: u64 },
    /// Standard output was closed.
    NobodyReads,
}

impl Watcher {
    /// A watcher, and where it says that it has ended.
    pub(crate) fn new(screen: Screen) -> (Watcher, mpsc::Receiver<Over>) {
        let (over, receiver) = mpsc::channel(1);
        (Watcher { screen, heard: Heard::default(), over }, receiver)
    }
}

#[remote]
impl Listener for Watcher {
    async fn heard(&self, first: u64, lines: Vec<Line>) -> remote_core::Result<()> {
        let look = self.screen.look();
        let mut page = String::new();
        match self.heard.count(first, lines.len()) {
            0 => {}
            gap if look.plain => note(format_args!("{gap} lines were missed")),
            gap => look.remark(&mut page, &format!("{gap} lines were missed")),
        }
        for line in &lines {
            look.line(&mut page, line.time, &line.sender, &line.text);
        }
        let shown = self.screen.print(&page).await;
        if shown.is_err() {
            let _ = self.over.try_send(Over::NobodyReads); // one reason to end is enough
        }
        shown.map_err(Error::from)
    }

    async fn closed(&self) -> remote_core::Result<()> {
        let _ = self.over.try_send(Over::Closed { missed: self.heard.missed() });
        Ok(())
    }
}
