//! The command `serve`: hosts a Transcript and a room, and prints the lines of the Transcript as they arrive. It must
//! not know how lines and members are kept.

use std::io;

use remote_core::{Node, Ref};

use crate::failure::Failure;
use crate::hosted_room::HostedRoom;
use crate::lease::Lease;
use crate::room::{self, Room};
use crate::shutdown::{GRACE, termination};
use crate::terminal::Screen;
use crate::transcript::{self, HostedTranscript, Transcript};
use crate::watch::Watcher;

/// The options of `serve`.
#[derive(clap::Args)]
pub(crate) struct Serve {
    /// The address to listen on; with port 0, a free port is used
    #[arg(long, value_name = "URI", default_value = crate::address::DEFAULT)]
    listen: String,

    #[command(flatten)]
    lease: Lease,

    /// Also shut down when standard input ends, for a parent process that must not leave the server behind
    #[arg(long)]
    until_eof: bool,
}

impl Serve {
    /// Serves until a shutdown is requested.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let termination = termination()?;
        let node = Node::builder()
            .name("transcript")
            .listen(&self.listen)
            .lease(self.lease.term)
            .start()
            .await
            .map_err(Failure::starting)?;
        let (hosted, room) = (HostedTranscript::new(), HostedRoom::new(node.clone()));
        let (lines, events) = (hosted.log(), room.log());
        let transcript = Ref::<dyn Transcript>::new(hosted);
        node.publish(transcript::NAME, transcript.clone()).await?;
        node.publish(room::NAME, Ref::<dyn Room>::new(room)).await?;

        let screen = Screen::new(false);
        // A closed output is no reason to end.
        let _ = screen.print(&format!("listening on {}\n", node.uri(transcript::NAME))).await;
        let (watcher, _) = Watcher::new(screen);
        // The output of the server is one more watcher: a stopped terminal delays writers no more than any other.
        transcript.subscribe(Ref::new(watcher), u64::MAX).await?;

        tokio::select! {
            () = termination => {}
            () = input_ended(), if self.until_eof => {}
        }
        let rest_read = async { tokio::join!(lines.finish(), events.finish()) };
        let _ = tokio::time::timeout(GRACE, rest_read).await; // slower readers lose the rest
        node.shutdown(GRACE).await;
        Ok(())
    }
}

/// Waits until standard input has ended.
async fn input_ended() {
    let (eof, at_eof) = tokio::sync::oneshot::channel();
    // A separate thread: it may block in the read until the process exits.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink()); // an error ends the input as well
        let _ = eof.send(());
    });
    let _ = at_eof.await;
}
