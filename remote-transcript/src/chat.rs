//! The command `chat`: one member of a room, with a keyboard or a pipe for a mouth.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use remote_core::{Error, Node, Ref, Remote, remote};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::ending::{FAREWELL, asked_to_end};
use crate::failure::Failure;
use crate::heard::Heard;
use crate::input;
use crate::name;
use crate::room::{self, Attendee, Event, Member, Room, RoomError, Seat, What};
use crate::terminal::{Screen, note};

const COMMANDS: &str =
    "/who: who is here; /leave or Ctrl-D: leave; //text: say what begins with a slash; /help: this";

/// What `chat` is asked for.
#[derive(clap::Args)]
pub(crate) struct Chat {
    #[command(flatten)]
    client: Client,

    /// What the others call you
    #[arg(long, value_name = "NAME", value_parser = name::parse)]
    name: String,
}

impl Chat {
    /// Joins and talks until the input ends, the user leaves or the room closes.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let asked_to_end = asked_to_end()?;
        let node = self.client.node(&self.name).await?;
        let outcome = self.chat(&node, asked_to_end).await;
        node.shutdown(FAREWELL).await;
        outcome
    }

    async fn chat(
        &self,
        node: &Node,
        asked_to_end: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        tokio::pin!(asked_to_end);
        let screen = Arc::new(Screen::new(false));
        let (guest, mut over) = Guest::new(&self.name, Arc::clone(&screen));
        let (room, seat) = tokio::select! {
            joined = self.join(node, guest) => joined?,
            () = &mut asked_to_end => return Ok(()),
        };
        let lost = Ref::monitor(&room);
        let lost = async { Failure::gone("the room", lost.await) };
        tokio::pin!(lost);
        let asked = tokio::select! {
            biased; // the room says that it closes before it is gone
            Some(()) = over.recv() => return Ok(()),
            failure = &mut lost => return Err(failure),
            talked = talk(&room, &seat, &screen) => match talked {
                Ok(()) => false,
                Err(failure) => return Err(failure.or_its_cause(lost).await),
            },
            () = &mut asked_to_end => true,
        };
        let leave = async {
            match seat.leave().await.map_err(Failure::from) {
                Ok(()) => {}
                Err(failure) => return Err(failure.or_its_cause(&mut lost).await),
            }
            // It has left; only the rest of the talk is missing.
            let rest = tokio::time::timeout(FAREWELL, over.recv());
            tokio::select! {
                biased;
                _ = rest => Ok(()),
                failure = &mut lost => Err(failure),
            }
        };
        // While the connection is lost nothing can be said, and who wants to go is not held up for that.
        let patience = async {
            if !asked {
                asked_to_end.await;
            }
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            left = leave => left,
            () = patience => Ok(()),
        }
    }

    async fn join(
        &self,
        node: &Node,
        guest: Guest,
    ) -> Result<(Ref<dyn Room>, Ref<dyn Seat>), Failure> {
        let room: Ref<dyn Room> = self.client.lookup(node, room::NAME, |told| note(told)).await?;
        let seat = room.join(&self.name, Ref::new(guest)).await?;
        Ok((room, seat))
    }
}

/// Says what standard input says, until it ends or wants to leave.
async fn talk(room: &Ref<dyn Room>, seat: &Ref<dyn Seat>, screen: &Screen) -> Result<(), Failure> {
    let mut chunks = input::lines(io::stdin());
    screen.remark(&format!("{}; /help lists the commands", here(room).await?)).await;
    while let Some(chunk) = chunks.recv().await {
        for line in chunk?.lines {
            match Wish::of(&line) {
                Wish::Say("") => {}
                Wish::Say(text) => say(seat, text, screen).await?,
                Wish::Who => screen.remark(&here(room).await?).await,
                Wish::Help => screen.remark(COMMANDS).await,
                Wish::Unknown(command) => {
                    screen.remark(&format!("no command {command}; {COMMANDS}")).await
                }
                Wish::Leave => return Ok(()),
            }
        }
    }
    Ok(())
}

async fn say(seat: &Ref<dyn Seat>, text: &str, screen: &Screen) -> Result<(), Failure> {
    match seat.say(text).await {
        // Who types can say it again in parts; in a pipe nobody would notice that something is missing.
        Err(error @ RoomError::TooLong(_)) if io::stdin().is_terminal() => {
            screen.remark(&error.to_string()).await
        }
        other => other?,
    }
    Ok(())
}

async fn here(room: &Ref<dyn Room>) -> Result<String, RoomError> {
    let names: Vec<String> = room.who().await?.iter().map(Attendee::to_string).collect();
    Ok(format!("here: {}", names.join(", ")))
}

/// What a line of input asks for.
#[derive(Debug, PartialEq)]
enum Wish<'l> {
    Say(&'l str),
    Who,
    Help,
    Leave,
    Unknown(&'l str),
}

impl Wish<'_> {
    fn of(line: &str) -> Wish<'_> {
        let text = line.trim_end();
        match text.strip_prefix('/') {
            None => Wish::Say(text),
            Some(rest) if rest.starts_with('/') => Wish::Say(rest),
            Some("who") => Wish::Who,
            Some("help") => Wish::Help,
            Some("leave" | "quit") => Wish::Leave,
            Some(_) => Wish::Unknown(text),
        }
    }
}

/// The member that shows what it hears.
#[derive(Remote)]
#[remote(Member, name = "remote_transcript::Guest")]
struct Guest {
    screen: Arc<Screen>,
    /// What the others call the user.
    name: String,
    /// What the user says stands on the screen already, where it was typed.
    typed: bool,
    heard: Heard,
    over: mpsc::Sender<()>,
}

impl Guest {
    /// A member, and where it says that nothing more will come.
    fn new(name: &str, screen: Arc<Screen>) -> (Guest, mpsc::Receiver<()>) {
        let typed = io::stdin().is_terminal() && io::stdout().is_terminal();
        let (over, receiver) = mpsc::channel(1);
        let name = name.to_owned();
        (Guest { screen, name, typed, heard: Heard::default(), over }, receiver)
    }
}

#[remote]
impl Member for Guest {
    async fn heard(&self, first: u64, events: Vec<Event>) -> remote_core::Result<()> {
        let look = self.screen.look();
        let mut page = String::new();
        match self.heard.count(first, events.len()) {
            0 => {}
            gap => look.remark(&mut page, &format!("{gap} events were missed")),
        }
        for Event { time, name, what, .. } in &events {
            let own = *name == self.name;
            match what {
                What::Said(_) if own && self.typed => {}
                // The user knows better: it is told when the connection is lost, not when the others hear of it.
                What::WentAway | What::CameBack if own => {}
                What::Said(text) => look.line(&mut page, *time, name, text),
                What::Joined => look.event(&mut page, *time, &format!("{name} joined")),
                What::WentAway => look.event(&mut page, *time, &format!("{name} is away")),
                What::CameBack => look.event(&mut page, *time, &format!("{name} is back")),
                What::Left => look.event(&mut page, *time, &format!("{name} left")),
                What::Vanished => {
                    look.event(&mut page, *time, &format!("{name} is gone without a word"))
                }
            }
        }
        let shown = self.screen.print(&page).await;
        if shown.is_err() {
            let _ = self.over.try_send(()); // said once is enough
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
    fn a_line_is_said_unless_it_begins_with_one_slash() {
        assert_eq!(Wish::of("hello /who"), Wish::Say("hello /who"));
        assert_eq!(Wish::of("/who "), Wish::Who);
        assert_eq!(Wish::of("/leave"), Wish::Leave);
        assert_eq!(Wish::of("/help\r"), Wish::Help);
        assert_eq!(Wish::of("//who"), Wish::Say("/who"));
        assert_eq!(Wish::of("/whom"), Wish::Unknown("/whom"));
        assert_eq!(Wish::of("  "), Wish::Say(""));
    }
}
