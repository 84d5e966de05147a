//! The command `serve`: hosts a Transcript and a room, and shows the lines of the Transcript as they come.

use std::io;
use std::time::Duration;

use remote_core::{Node, Ref};

use crate::failure::Failure;
use crate::hall::Hall;
use crate::room::{self, Room};
use crate::terminal::Screen;
use crate::transcript::{self, Board, Transcript};
use crate::watch::{Watcher, watch_everything};

/// How long those who watch and talk may take to hear the rest when the server ends, and then their sessions to close.
const FAREWELL: Duration = Duration::from_secs(2);

/// What `serve` is asked for.
#[derive(clap::Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "URI", default_value = crate::address::DEFAULT)]
    listen: String,

    /// End when standard input ends, too: for a parent process that must not leave the server behind
    #[arg(long)]
    until_eof: bool,
}

impl Serve {
    /// Serves until it is told to end.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let asked_to_end = asked_to_end(self.until_eof)?;
        let node = Node::builder()
            .name("transcript")
            .listen(&self.listen)
            .start()
            .await
            .map_err(Failure::starting)?;
        let (board, hall) = (Board::new(), Hall::new());
        let (lines, events) = (board.log(), hall.log());
        let transcript = Ref::<dyn Transcript>::new(board);
        node.publish(transcript::NAME, transcript.clone()).await?;
        node.publish(room::NAME, Ref::<dyn Room>::new(hall)).await?;

        let screen = Screen::new(false);
        // A server serves, also when nobody looks at its output any more.
        let _ = screen.print(&format!("listening on {}\n", node.uri(transcript::NAME))).await;
        let (watcher, _) = Watcher::new(screen);
        // To this Transcript its own terminal is one more watcher: no special case, and a stopped one holds nobody up.
        watch_everything(&transcript, watcher).await?;

        asked_to_end.await;
        let farewell = async { tokio::join!(lines.finish(), events.finish()) };
        let _ = tokio::time::timeout(FAREWELL, farewell).await; // who has not heard the rest by then will not
        node.shutdown(FAREWELL).await;
        Ok(())
    }
}

/// Ends when the user, the system or, if so wished, the parent process wants the server to end. Listens from now on.
fn asked_to_end(until_eof: bool) -> io::Result<impl Future<Output = ()>> {
    let (eof, at_eof) = tokio::sync::oneshot::channel();
    if until_eof {
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut io::sink()); // an unreadable input has ended as well
            let _ = eof.send(());
        });
    }
    let at_eof = async move {
        if at_eof.await.is_err() {
            std::future::pending().await // nobody watches the input
        }
    };
    let signalled = signalled()?;
    Ok(async move {
        tokio::select! {
            () = signalled => {}
            () = at_eof => {}
        }
    })
}

#[cfg(unix)]
fn signalled() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signalled() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await; // no handler, no way to be asked
    })
}
