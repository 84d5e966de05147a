//! The command `chat`: a member of a room that sends the lines of standard input and prints events. It must not know
//! the objects of the server.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use remote_core::{Error, Node, Ref, Remote, remote};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::failure::Failure;
use crate::gap_counter::GapCounter;
use crate::input;
use crate::room::{self, Attendee, Event, EventKind, Member, Room, RoomError, Seat};
use crate::shutdown::{GRACE, termination};
use crate::terminal::{Screen, note};
use crate::user_name;

const COMMANDS: &str = "/who: list the members; /leave or Ctrl-D: leave; //text: send a text that begins with a slash; /help: this";

/// The options of `chat`.
#[derive(clap::Args)]
pub(crate) struct Chat {
    #[command(flatten)]
    client: Client,

    /// Your name in the chat
    #[arg(long, value_name = "NAME", value_parser = user_name::parse)]
    name: String,
}

impl Chat {
    /// Joins, and sends and prints until the input ends, the user leaves or the room closes.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let termination = termination()?;
        let node = self.client.node(&self.name).await?;
        let outcome = self.chat(&node, termination).await;
        node.shutdown(GRACE).await;
        outcome
    }

    async fn chat(
        &self,
        node: &Node,
        termination: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        tokio::pin!(termination);
        let screen = Arc::new(Screen::new(false));
        let (printer, mut over) = ChatPrinter::new(&self.name, Arc::clone(&screen));
        let (room, seat) = tokio::select! {
            joined = self.join(node, printer) => joined?,
            () = &mut termination => return Ok(()),
        };
        let lost = Ref::monitor(&room);
        let lost = async { Failure::gone("the room", lost.await) };
        tokio::pin!(lost);
        let asked = tokio::select! {
            biased; // a room that closes notifies its members before the session ends
            Some(()) = over.recv() => return Ok(()),
            failure = &mut lost => return Err(failure),
            sent = send_input(&room, &seat, &screen) => match sent {
                Ok(()) => false,
                Err(failure) => return Err(failure.or_its_cause(lost).await),
            },
            () = &mut termination => true,
        };
        let leave = async {
            match seat.leave().await.map_err(Failure::from) {
                Ok(()) => {}
                Err(failure) => return Err(failure.or_its_cause(&mut lost).await),
            }
            // The member has left; wait for the events before that.
            let rest = tokio::time::timeout(GRACE, over.recv());
            tokio::select! {
                biased;
                _ = rest => Ok(()),
                failure = &mut lost => Err(failure),
            }
        };
        // While the connection is lost, the leave request cannot be sent: do not wait for the reconnection.
        let reconnection_limit = async {
            if !asked {
                termination.await;
            }
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            left = leave => left,
            () = reconnection_limit => Ok(()),
        }
    }

    async fn join(
        &self,
        node: &Node,
        printer: ChatPrinter,
    ) -> Result<(Ref<dyn Room>, Ref<dyn Seat>), Failure> {
        let room: Ref<dyn Room> = self.client.lookup(node, room::NAME, |text| note(text)).await?;
        let seat = room.join(&self.name, Ref::new(printer)).await?;
        Ok((room, seat))
    }
}

/// Sends the lines of standard input and executes its commands, until it ends or has `/leave`.
async fn send_input(
    room: &Ref<dyn Room>,
    seat: &Ref<dyn Seat>,
    screen: &Screen,
) -> Result<(), Failure> {
    let mut chunks = input::lines(io::stdin());
    screen.remark(&format!("{}; /help lists the commands", members(room).await?)).await;
    while let Some(chunk) = chunks.recv().await {
        for line in chunk?.lines {
            match Input::of(&line) {
                Input::Say("") => {}
                Input::Say(text) => say(seat, text, screen).await?,
                Input::Who => screen.remark(&members(room).await?).await,
                Input::Help => screen.remark(COMMANDS).await,
                Input::Unknown(command) => {
                    screen.remark(&format!("no command {command}; {COMMANDS}")).await
                }
                Input::Leave => return Ok(()),
            }
        }
    }
    Ok(())
}

async fn say(seat: &Ref<dyn Seat>, text: &str, screen: &Screen) -> Result<(), Failure> {
    match seat.say(text).await {
        // A user at a terminal can send it again in parts; in a pipe the loss would not be noticed.
        Err(error @ RoomError::TooLong(_)) if io::stdin().is_terminal() => {
            screen.remark(&error.to_string()).await
        }
        other => other?,
    }
    Ok(())
}

/// Returns the list of members, as it is printed.
async fn members(room: &Ref<dyn Room>) -> Result<String, RoomError> {
    let names: Vec<String> = room.who().await?.iter().map(Attendee::to_string).collect();
    Ok(format!("here: {}", names.join(", ")))
}

/// A line of input.
#[derive(Debug, PartialEq)]
enum Input<'l> {
    Say(&'l str),
    Who,
    Help,
    Leave,
    Unknown(&'l str),
}

impl Input<'_> {
    fn of(line: &str) -> Input<'_> {
        let text = line.trim_end();
        match text.strip_prefix('/') {
            None => Input::Say(text),
            Some(rest) if rest.starts_with('/') => Input::Say(rest),
            Some("who") => Input::Who,
            Some("help") => Input::Help,
            Some("leave" | "quit") => Input::Leave,
            Some(_) => Input::Unknown(text),
        }
    }
}

/// The object that receives the events and prints them.
#[derive(Remote)]
#[remote(Member, name = "remote_transcript::ChatPrinter")]
struct ChatPrinter {
    screen: Arc<Screen>,
    /// The name of the user in the chat.
    name: String,
    /// True if the terminal has echoed what the user typed: it is not printed again.
    echoed: bool,
    gaps: GapCounter,
    over: mpsc::Sender<()>,
}

impl ChatPrinter {
    /// Creates the object, and the channel that receives an item when no more events are printed.
    fn new(name: &str, screen: Arc<Screen>) -> (ChatPrinter, mpsc::Receiver<()>) {
        let echoed = io::stdin().is_terminal() && io::stdout().is_terminal();
        let (over, receiver) = mpsc::channel(1);
        let name = name.to_owned();
        (ChatPrinter { screen, name, echoed, gaps: GapCounter::default(), over }, receiver)
    }
}

#[remote]
impl Member for ChatPrinter {
    async fn events(&self, first: u64, events: Vec<Event>) -> remote_core::Result<()> {
        let format = self.screen.format();
        let mut page = String::new();
        match self.gaps.count(first, events.len()) {
            0 => {}
            gap => format.remark(&mut page, &format!("{gap} events were missed")),
        }
        for Event { time, name, kind, .. } in &events {
            let own = *name == self.name;
            match kind {
                EventKind::Said(_) if own && self.echoed => {}
                // The client notes a lost connection itself, and earlier.
                EventKind::WentAway | EventKind::CameBack if own => {}
                EventKind::Said(text) => format.line(&mut page, *time, name, text),
                EventKind::Joined => format.event(&mut page, *time, &format!("{name} joined")),
                EventKind::WentAway => format.event(&mut page, *time, &format!("{name} is away")),
                EventKind::CameBack => format.event(&mut page, *time, &format!("{name} is back")),
                EventKind::Left => format.event(&mut page, *time, &format!("{name} left")),
                EventKind::Vanished => format.event(&mut page, *time, &format!("{name} is gone")),
            }
        }
        let shown = self.screen.print(&page).await;
        if shown.is_err() {
            let _ = self.over.try_send(()); // full: the end is signalled already
        }
        shown.map_err(Error::from)
    }

    async fn closed(&self) -> remote_core::Result<()> {
        let _ = self.over.try_send(());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_sent_unless_it_begins_with_one_slash() {
        assert_eq!(Input::of("hello /who"), Input::Say("hello /who"));
        assert_eq!(Input::of("/who "), Input::Who);
        assert_eq!(Input::of("/leave"), Input::Leave);
        assert_eq!(Input::of("/help\r"), Input::Help);
        assert_eq!(Input::of("//who"), Input::Say("/who"));
        assert_eq!(Input::of("/whom"), Input::Unknown("/whom"));
        assert_eq!(Input::of("  "), Input::Say(""));
    }
}
