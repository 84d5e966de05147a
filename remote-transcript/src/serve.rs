//! The command `serve`: hosts a Transcript and a room, and shows the lines of the Transcript as they come.

use std::io;

use remote_core::{Node, Ref};

use crate::ending::{FAREWELL, asked_to_end};
use crate::failure::Failure;
use crate::hall::Hall;
use crate::lease::Lease;
use crate::room::{self, Room};
use crate::terminal::Screen;
use crate::transcript::{self, Board, Transcript};
use crate::watch::Watcher;

/// What `serve` is asked for.
#[derive(clap::Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "URI", default_value = crate::address::DEFAULT)]
    listen: String,

    #[command(flatten)]
    lease: Lease,

    /// End when standard input ends, too: for a parent process that must not leave the server behind
    #[arg(long)]
    until_eof: bool,
}

impl Serve {
    /// Serves until it is told to end.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let asked_to_end = asked_to_end()?;
        let node = Node::builder()
            .name("transcript")
            .listen(&self.listen)
            .lease(self.lease.term)
            .start()
            .await
            .map_err(Failure::starting)?;
        let (board, hall) = (Board::new(), Hall::new(node.clone()));
        let (lines, events) = (board.log(), hall.log());
        let transcript = Ref::<dyn Transcript>::new(board);
        node.publish(transcript::NAME, transcript.clone()).await?;
        node.publish(room::NAME, Ref::<dyn Room>::new(hall)).await?;

        let screen = Screen::new(false);
        // A server serves, also when nobody looks at its output any more.
        let _ = screen.print(&format!("listening on {}\n", node.uri(transcript::NAME))).await;
        let (watcher, _) = Watcher::new(screen);
        // To this Transcript its own terminal is one more watcher: no special case, and a stopped one holds nobody up.
        transcript.subscribe(Ref::new(watcher), u64::MAX).await?;

        tokio::select! {
            () = asked_to_end => {}
            () = input_ended(), if self.until_eof => {}
        }
        let farewell = async { tokio::join!(lines.finish(), events.finish()) };
        let _ = tokio::time::timeout(FAREWELL, farewell).await; // who has not heard the rest by then will not
        node.shutdown(FAREWELL).await;
        Ok(())
    }
}

/// Ends when standard input does.
async fn input_ended() {
    let (eof, at_eof) = tokio::sync::oneshot::channel();
    // A thread of its own: it stays in a read for as long as the process lives.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink()); // an unreadable input has ended as well
        let _ = eof.send(());
    });
    let _ = at_eof.await;
}
