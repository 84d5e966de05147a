//! The command `chat`: one member of a room, with a keyboard or a pipe for a mouth.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use remote_core::{Error, Node, Ref, Remote, remote};
use tokio::sync::mpsc;

use crate::address;
use crate::ending::{FAREWELL, asked_to_end};
use crate::failure::Failure;
use crate::heard::Heard;
use crate::input;
use crate::name;
use crate::room::{self, Event, Member, Room, RoomError, Seat, What};
use crate::terminal::Screen;

const COMMANDS: &str =
    "/who: who is here; /leave or Ctrl-D: leave; //text: say what begins with a slash; /help: this";

/// What `chat` is asked for.
#[derive(clap::Args)]
pub(crate) struct Chat {
    /// Where the room is
    #[arg(long, value_name = "URI", default_value = address::DEFAULT)]
    to: String,

    /// What the others call you
    #[arg(long, value_name = "NAME", value_parser = name::parse)]
    name: String,
}

impl Chat {
    /// Joins and talks until the input ends, the user leaves or the room closes.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let node = Node::builder().name(&self.name).start().await?;
        let outcome = self.chat(&node).await;
        node.shutdown(FAREWELL).await;
        outcome
    }

    async fn chat(self, node: &Node) -> Result<(), Failure> {
        let asked_to_end = asked_to_end()?;
        let room: Ref<dyn Room> = node.lookup(&address::named(&self.to, room::NAME)).await?;
        let lost = Ref::monitor(&room);
        let screen = Arc::new(Screen::new(false));
        let (guest, mut over) = Guest::new(&self.name, Arc::clone(&screen));
        let seat = room.join(&self.name, Ref::new(guest)).await?;
        let lost = async { Failure::gone("the room", lost.await) };
        tokio::pin!(lost);
        tokio::select! {
            biased; // the room says that it closes before it is gone
            Some(()) = over.recv() => return Ok(()),
            failure = &mut lost => return Err(failure),
            talked = talk(&room, &seat, &screen) => talked?,
            () = asked_to_end => {}
        }
        seat.leave().await?;
        tokio::select! {
            biased;
            Some(()) = over.recv() => Ok(()),
            failure = lost => Err(failure),
            () = tokio::time::sleep(FAREWELL) => Ok(()), // it has left; only the rest of the talk is missing
        }
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
    Ok(format!("here: {}", room.who().await?.join(", ")))
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
    /// Whose sayings need not be shown again: they stand on the terminal where they were typed.
    on_screen: Option<String>,
    heard: Heard,
    over: mpsc::Sender<()>,
}

impl Guest {
    /// A member, and where it says that nothing more will come.
    fn new(name: &str, screen: Arc<Screen>) -> (Guest, mpsc::Receiver<()>) {
        let typed = io::stdin().is_terminal() && io::stdout().is_terminal();
        let (over, receiver) = mpsc::channel(1);
        let on_screen = typed.then(|| name.to_owned());
        (Guest { screen, on_screen, heard: Heard::default(), over }, receiver)
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
            match what {
                What::Said(_) if self.on_screen.as_ref() == Some(name) => {}
                What::Said(text) => look.line(&mut page, *time, name, text),
                What::Joined => look.event(&mut page, *time, &format!("{name} joined")),
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
