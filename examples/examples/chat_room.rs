//! A chat room for users with `nc`: the room, its seats, the guests and their sockets are objects. A guest who does not read
//! delays nobody and uses no memory, because lines are sent to guests on credit only.
//!
//! With a port, such as `12345`, guests connect there; without one there are two doors, on two nodes, and a guest at each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use remote_core::socket::{
    Policy, ServerController, ServerSocket, Socket, SocketController, WorkUnit, WorkUnits,
};
use remote_core::{Error, Node, Ref, Remote, Result, remote, this};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The lines that may be in transit to a guest.
const WINDOW: u64 = 32;
/// The length of the longest line that a guest may send, in bytes.
const LONGEST: u32 = 400;

#[remote]
trait Room {
    /// Seats a guest under a name; returns false if the name is taken.
    async fn enter(&self, name: &str, guest: Ref<dyn Guest>) -> Result<bool>;
}

/// A guest's place in the room. A guest who drops it has left.
#[remote]
trait Seat {
    /// Sends a line to all other guests.
    async fn say(&self, text: &str) -> Result<()>;
    /// Allows the room to send so many more lines to the guest.
    async fn issue_credit(&self, lines: u64) -> Result<()>;
}

#[remote]
trait Guest {
    /// Receives the seat, and the names of the other guests.
    async fn seated(&self, seat: Ref<dyn Seat>, others: Vec<String>) -> Result<()>;
    /// Receives a line.
    async fn hear(&self, line: &str) -> Result<()>;
}

/// The room: its guests, by name.
#[derive(Remote, Clone, Default)]
#[remote(Room)]
struct Parlour(Arc<tokio::sync::Mutex<BTreeMap<String, Present>>>);

/// A guest in the room.
struct Present {
    guest: Ref<dyn Guest>,
    credit: u64,
    /// The lines that were dropped for lack of credit since the last one that was sent.
    missed: u64,
}

impl Parlour {
    /// Sends a line to all guests but the one with the name `except`. The room is locked meanwhile, so that all guests get the
    /// lines in the same order. This does not wait for any guest: one that is behind has no credit left.
    async fn send(&self, except: &str, line: &str) {
        for (name, present) in self.0.lock().await.iter_mut() {
            if name != except {
                present.send(line).await;
            }
        }
    }

    async fn leave(&self, name: &str) {
        self.0.lock().await.remove(name);
        self.send("", &format!("* {name} has left")).await;
    }
}

impl Present {
    async fn send(&mut self, line: &str) {
        let notice = (self.missed > 0).then(|| format!("* you missed {} lines", self.missed));
        let needed = 1 + u64::from(notice.is_some());
        if self.credit < needed {
            self.missed += 1;
            return;
        }
        self.credit -= needed;
        self.missed = 0;
        for line in notice.iter().map(String::as_str).chain([line]) {
            let _ = self.guest.hear(line).oneway().await; // if the guest is lost, so is its seat
        }
    }
}

#[remote]
impl Room for Parlour {
    async fn enter(&self, name: &str, guest: Ref<dyn Guest>) -> Result<bool> {
        let mut room = self.0.lock().await;
        if room.contains_key(name) {
            return Ok(false);
        }
        let seat = Ref::new(Chair { room: self.clone(), name: name.to_owned() });
        guest.seated(seat, room.keys().cloned().collect()).oneway().await?;
        room.insert(name.to_owned(), Present { guest, credit: WINDOW, missed: 0 });
        drop(room);
        self.send(name, &format!("* {name} has joined")).await;
        Ok(true)
    }
}

/// A seat. Only its guest holds a reference to it: when the seat is dropped, the guest has left.
#[derive(Remote)]
#[remote(Seat)]
struct Chair {
    room: Parlour,
    name: String,
}

#[remote]
impl Seat for Chair {
    async fn say(&self, text: &str) -> Result<()> {
        self.room.send(&self.name, &format!("{}: {text}", self.name)).await;
        Ok(())
    }

    async fn issue_credit(&self, lines: u64) -> Result<()> {
        if let Some(present) = self.room.0.lock().await.get_mut(&self.name) {
            present.credit += lines;
        }
        Ok(())
    }
}

impl Drop for Chair {
    fn drop(&mut self) {
        let (room, name) = (self.room.clone(), self.name.clone());
        tokio::spawn(async move { room.leave(&name).await });
    }
}

/// Accepts connections, and makes a guest of each.
#[derive(Remote)]
#[remote(ServerController)]
struct Door(Ref<dyn Room>);

#[remote]
impl ServerController for Door {
    async fn accepted(&self, door: Ref<dyn ServerSocket>, socket: Ref<dyn Socket>) -> Result<()> {
        let (room, place) = (self.0.clone(), Mutex::default());
        let caller = Ref::new(Caller { room, socket: socket.clone(), place });
        socket.controlled_by(caller).await?;
        door.issue_credit(1).await
    }
}

/// A guest at the other end of a socket.
#[derive(Remote)]
#[remote(SocketController, Guest)]
struct Caller {
    room: Ref<dyn Room>,
    socket: Ref<dyn Socket>,
    place: Mutex<Place>,
}

/// The state of a guest.
#[derive(Clone, Default)]
enum Place {
    #[default]
    Outside,
    Seated(Ref<dyn Seat>),
    Gone,
}

impl Caller {
    fn place(&self) -> Place {
        self.place.lock().unwrap().clone()
    }

    /// Enters the room under the name in the guest's first line.
    async fn introduce(&self, name: &str) -> Result<()> {
        let problem = match name {
            "" => "A name is needed.",
            _ if self.room.enter(name, this()).await? => return Ok(()),
            _ => "That name is taken.",
        };
        self.socket.send_line(&format!("{problem} Who are you?")).await
    }
}

#[remote]
impl SocketController for Caller {
    async fn connected(&self, socket: Ref<dyn Socket>) -> Result<()> {
        socket.work_units(WorkUnits::Lines { longest: LONGEST }).await?;
        socket.send_line("Who are you?").await?;
        socket.issue_credit(1).await
    }

    /// Handles a line. The credit for the next one follows when the room has taken this one.
    async fn data(&self, socket: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
        let WorkUnit::Line(line) = unit else { return Ok(()) };
        match self.place() {
            Place::Outside => self.introduce(line.trim()).await?,
            Place::Seated(seat) => seat.say(&line).await?,
            Place::Gone => return Ok(()),
        }
        socket.issue_credit(1).await
    }

    async fn closed(&self, _: Ref<dyn Socket>, _: Option<Error>) -> Result<()> {
        let place = std::mem::replace(&mut *self.place.lock().unwrap(), Place::Gone);
        drop(place); // The room holds this object, and this object its seat: drop the seat, to break the cycle.
        Ok(())
    }
}

#[remote]
impl Guest for Caller {
    async fn seated(&self, seat: Ref<dyn Seat>, others: Vec<String>) -> Result<()> {
        {
            let mut place = self.place.lock().unwrap();
            if let Place::Gone = *place {
                return Ok(()); // the connection has closed meanwhile; the seat is dropped
            }
            *place = Place::Seated(seat);
        }
        let others = if others.is_empty() { "nobody else".into() } else { others.join(", ") };
        self.socket.send_line(&format!("* in the room: {others}")).await
    }

    /// Waits until the socket has taken the line, and then issues credit for another one.
    async fn hear(&self, line: &str) -> Result<()> {
        self.socket.send_line(line).await?;
        match self.place() {
            Place::Seated(seat) => seat.issue_credit(1).await,
            Place::Outside | Place::Gone => Ok(()),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let Some(port) = std::env::args().nth(1) else { return two_guests().await };
    let node = Node::builder().sockets(Policy::loopback()).start().await?;
    let door = open(&node, &port, Ref::new(Parlour::default())).await?;
    println!("the door is at tcp://{}", door.address().await?);
    node.closed().await;
    Ok(())
}

/// Opens a door to a room, near or far.
async fn open(node: &Node, port: &str, room: Ref<dyn Room>) -> Result<Ref<dyn ServerSocket>> {
    let address = format!("127.0.0.1:{port}");
    let door = node.sockets().listen(&address, Ref::new(Door(room))).await?;
    door.issue_credit(1).await?;
    Ok(door)
}

/// Runs two guests on plain sockets. One connects to the node of the room, the other one to another node.
async fn two_guests() -> Result<()> {
    let sockets = || Node::builder().sockets(Policy::loopback());
    let node = sockets().listen("tcp://127.0.0.1:0").start().await?;
    let room: Ref<dyn Room> = Ref::new(Parlour::default());
    node.publish("room", room.clone()).await?;
    let door = open(&node, "0", room).await?;
    let another = sockets().start().await?;
    let back_door = open(&another, "0", another.lookup(node.uri("room")).await?).await?;

    let mut ada = BufReader::new(TcpStream::connect(door.address().await?).await?);
    let mut grace = BufReader::new(TcpStream::connect(back_door.address().await?).await?);
    expect(&mut ada, "Who are you?").await?;
    ada.write_all(b"Ada\n").await?;
    expect(&mut ada, "* in the room: nobody else").await?;
    expect(&mut grace, "Who are you?").await?;
    grace.write_all(b"Ada\n").await?;
    expect(&mut grace, "That name is taken. Who are you?").await?;
    grace.write_all(b"Grace\n").await?;
    expect(&mut grace, "* in the room: Ada").await?;
    expect(&mut ada, "* Grace has joined").await?;
    ada.write_all(b"Is anybody here?\n").await?;
    expect(&mut grace, "Ada: Is anybody here?").await?;
    drop(grace);
    expect(&mut ada, "* Grace has left").await
}

/// Reads a line, compares it with the expected one, and prints it.
async fn expect(guest: &mut BufReader<TcpStream>, expected: &str) -> Result<()> {
    let mut line = String::new();
    guest.read_line(&mut line).await?;
    assert_eq!(line.trim_end(), expected);
    print!("{line}");
    Ok(())
}
