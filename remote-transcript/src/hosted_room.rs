//! Owns the objects behind the chat: the hall, its chairs, and who sits on them. Knows nothing of terminals and arguments.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use remote_core::{Node, Ref, Remote, Session, State, caller, remote};
use tokio::sync::oneshot;

use crate::log::{Batch, Bounds, Log, Reader};
use crate::name;
use crate::room::{Attendee, Event, LONGEST_SAYING, Member, Presence, Room, RoomError, Seat, What};
use crate::terminal::now;

/// The room that `serve` hosts.
#[derive(Remote)]
#[remote(Room, name = "remote_transcript::Hall")]
pub(crate) struct Hall {
    floor: Arc<Floor>,
    /// Whose peers the members are.
    node: Node,
}

impl Hall {
    /// An empty room, for the peers of this node.
    pub(crate) fn new(node: Node) -> Hall {
        let size = |event: &Event| {
            let said = if let What::Said(text) = &event.what { text.len() } else { 0 };
            said + event.name.len() + size_of::<Event>()
        };
        let log = Log::new(Bounds { capacity: 1 << 20, patience: Duration::from_secs(10), size });
        Hall {
            floor: Arc::new(Floor { log, seats: Mutex::default(), next_seat: AtomicU64::new(0) }),
            node,
        }
    }

    /// What happens in it; ending that closes it.
    pub(crate) fn log(&self) -> Arc<Log<Event>> {
        Arc::clone(&self.floor.log)
    }
}

#[remote]
impl Room for Hall {
    async fn join(&self, name: &str, member: Ref<dyn Member>) -> Result<Ref<dyn Seat>, RoomError> {
        // Who is in this process has no session, and cannot be away.
        let session = self.node.sessions().into_iter().find(|session| session.peer() == caller());
        let name = name::parse(name)?;
        let seat = self.floor.take_seat(&name)?;
        let place = Place { floor: Arc::clone(&self.floor), seat, name };
        let (chair, chair_dropped) = oneshot::channel();
        let chair = Chair { place: place.clone(), _in_use: chair };
        tokio::spawn(attend(place, self.floor.log.reader(0), member, chair_dropped, session));
        chair.place.tell(What::Joined).await?;
        Ok(Ref::new(chair))
    }

    async fn who(&self) -> Result<Vec<Attendee>, RoomError> {
        let seats = self.floor.seats();
        let attendee = |(name, taken): (&String, &Taken)| Attendee {
            name: name.clone(),
            presence: taken.presence,
        };
        Ok(seats.iter().map(attendee).collect())
    }
}

/// What a member speaks through.
#[derive(Remote)]
#[remote(Seat, name = "remote_transcript::Chair")]
struct Chair {
    place: Place,
    /// Dropped with the chair, which is how the hall learns that nobody can speak through it any more.
    _in_use: oneshot::Sender<Infallible>,
}

#[remote]
impl Seat for Chair {
    async fn say(&self, text: &str) -> Result<(), RoomError> {
        if text.len() > LONGEST_SAYING {
            return Err(RoomError::TooLong(text.len() as u64));
        }
        if !self.place.is_taken() {
            return Err(RoomError::NotSeated);
        }
        self.place.tell(What::Said(text.to_owned())).await
    }

    async fn leave(&self) -> Result<(), RoomError> {
        self.place.give_up(What::Left).await;
        Ok(())
    }
}

/// What all who are in the hall share.
struct Floor {
    log: Arc<Log<Event>>,
    /// Who is there, and on which seat.
    seats: Mutex<BTreeMap<String, Taken>>,
    next_seat: AtomicU64,
}

/// A seat that somebody has taken.
struct Taken {
    seat: u64,
    presence: Presence,
}

impl Floor {
    fn take_seat(&self, name: &str) -> Result<u64, RoomError> {
        let mut seats = self.seats();
        if seats.contains_key(name) {
            return Err(RoomError::NameTaken(name.to_owned()));
        }
        let seat = self.next_seat.fetch_add(1, Ordering::Relaxed);
        seats.insert(name.to_owned(), Taken { seat, presence: Presence::Here });
        Ok(seat)
    }

    fn seats(&self) -> MutexGuard<'_, BTreeMap<String, Taken>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One seat in the hall, and the name of who took it.
#[derive(Clone)]
struct Place {
    floor: Arc<Floor>,
    seat: u64,
    name: String,
}

impl Place {
    fn is_taken(&self) -> bool {
        self.floor.seats().get(&self.name).is_some_and(|taken| taken.seat == self.seat)
    }

    /// Notes whether who sits there can be heard, and tells the others if that is news.
    async fn note(&self, presence: Presence) {
        {
            let mut seats = self.floor.seats();
            match seats.get_mut(&self.name).filter(|taken| taken.seat == self.seat) {
                Some(taken) if taken.presence != presence => taken.presence = presence,
                _ => return,
            }
        }
        let what = match presence {
            Presence::Away => What::WentAway,
            Presence::Here => What::CameBack,
        };
        let _ = self.tell(what).await; // in a room that has closed there is nobody to tell
    }

    /// Frees the seat and tells the others why; nothing if it is free already.
    async fn give_up(&self, why: What) {
        {
            let mut seats = self.floor.seats();
            if seats.get(&self.name).is_none_or(|taken| taken.seat != self.seat) {
                return;
            }
            seats.remove(&self.name);
        }
        let _ = self.tell(why).await; // in a room that has closed there is nobody to tell
    }

    async fn tell(&self, what: What) -> Result<(), RoomError> {
        let event = Event { time: now(), seat: self.seat, name: self.name.clone(), what };
        Ok(self.floor.log.append([event]).await?)
    }
}

/// Tells one member what happens until it leaves, goes away, or the room closes.
async fn attend(
    place: Place,
    mut events: Reader<Event>,
    member: Ref<dyn Member>,
    chair_dropped: oneshot::Receiver<Infallible>,
    session: Option<Session>,
) {
    let gone = Ref::monitor(&member);
    let telling = tell(&place, &mut events, &member);
    let chair = async {
        let Err(_dropped) = chair_dropped.await;
        // After leaving, too: then this changes nothing, and the member still hears the rest.
        place.give_up(What::Vanished).await;
        std::future::pending().await
    };
    let told = tokio::select! {
        _ = gone => None,
        told = telling => told.ok(),
        never = chair => never,
        never = follow(&place, session) => never,
    };
    if told.is_none() {
        // Its own place in the log first: the rest is for the others.
        drop(events);
        place.give_up(What::Vanished).await;
    }
}

/// Notes of a member when its connection is lost, and when it is back. That the session ends is for others to note.
async fn follow<Never>(place: &Place, session: Option<Session>) -> Never {
    if let Some(mut state) = session.as_ref().map(Session::watch) {
        loop {
            let now = *state.borrow_and_update();
            match now {
                State::Connected => place.note(Presence::Here).await,
                State::Suspended => place.note(Presence::Away).await,
                _ => break,
            }
            if state.changed().await.is_err() {
                break;
            }
        }
    }
    std::future::pending().await
}

/// Tells the member all that there is up to its own leaving or the room's end.
async fn tell(
    place: &Place,
    events: &mut Reader<Event>,
    member: &Ref<dyn Member>,
) -> remote_core::Result<()> {
    let mut expected = None;
    while let Some(Batch { first, mut entries }) = events.next().await {
        let missed_some = expected.is_some_and(|expected| expected != first);
        expected = Some(first + entries.len() as u64);
        let leaving = entries.iter().position(|event| {
            event.seat == place.seat && matches!(event.what, What::Left | What::Vanished)
        });
        if let Some(at) = leaving {
            entries.truncate(at + 1);
        }
        member.heard(first, entries).await?;
        // Its own leaving may be among what it missed.
        if leaving.is_some() || missed_some && !place.is_taken() {
            break;
        }
    }
    member.closed().await
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// Passes on what it hears, and nothing at the end.
    #[derive(Remote)]
    #[remote(Member, name = "remote_transcript::hall::tests::Ear")]
    struct Ear(mpsc::UnboundedSender<Option<Event>>);

    #[remote]
    impl Member for Ear {
        async fn heard(&self, _first: u64, events: Vec<Event>) -> remote_core::Result<()> {
            let passed_on = events.into_iter().try_for_each(|event| self.0.send(Some(event)));
            passed_on.map_err(|_| remote_core::Error::Cancelled)
        }

        async fn closed(&self) -> remote_core::Result<()> {
            self.0.send(None).map_err(|_| remote_core::Error::Cancelled)
        }
    }

    type Heard = mpsc::UnboundedReceiver<Option<Event>>;

    async fn join(room: &Ref<dyn Room>, name: &str) -> (Ref<dyn Seat>, Heard) {
        let (sender, heard) = mpsc::unbounded_channel();
        (room.join(name, Ref::new(Ear(sender))).await.unwrap(), heard)
    }

    /// All that is heard to the end.
    async fn heard(mut events: Heard) -> Vec<(String, What)> {
        let mut heard = Vec::new();
        while let Some(Some(event)) = events.recv().await {
            heard.push((event.name, event.what));
        }
        heard
    }

    #[tokio::test]
    async fn a_member_hears_from_its_own_arrival_to_its_own_leaving() {
        let room = Ref::<dyn Room>::new(Hall::new(Node::new()));
        let (ada, ada_heard) = join(&room, "ada").await;
        let (ben, ben_heard) = join(&room, "ben").await;
        ben.say("hello").await.unwrap();
        ben.leave().await.unwrap();
        ada.say("alone").await.unwrap();
        ada.leave().await.unwrap();
        let event = |name: &str, what| (name.to_owned(), what);
        let bens = [
            event("ben", What::Joined),
            event("ben", What::Said("hello".into())),
            event("ben", What::Left),
        ];
        assert_eq!(heard(ben_heard).await, bens);
        let rest = [event("ada", What::Said("alone".into())), event("ada", What::Left)];
        assert_eq!(
            heard(ada_heard).await,
            [&[event("ada", What::Joined)], &bens[..], &rest].concat()
        );
        assert_eq!(room.who().await.unwrap(), []);
    }

    #[tokio::test]
    async fn who_drops_the_seat_is_gone_without_a_word() {
        let room = Ref::<dyn Room>::new(Hall::new(Node::new()));
        let (_ada, mut events) = join(&room, "ada").await;
        let (ben, _heard) = join(&room, "ben").await;
        drop(ben);
        while events.recv().await.unwrap().unwrap().what != What::Vanished {}
        let ada = Attendee { name: "ada".into(), presence: Presence::Here };
        assert_eq!(room.who().await.unwrap(), [ada]);
    }

    #[tokio::test]
    async fn a_seat_given_up_cannot_speak_even_if_another_took_the_name() {
        let room = Ref::<dyn Room>::new(Hall::new(Node::new()));
        let (old, _heard) = join(&room, "ada").await;
        old.leave().await.unwrap();
        let (new, events) = join(&room, "ada").await;
        assert_eq!(old.say("it is me").await, Err(RoomError::NotSeated));
        old.leave().await.unwrap();
        new.say("no, me").await.unwrap();
        new.leave().await.unwrap();
        let said =
            heard(events).await.into_iter().filter(|(_, what)| matches!(what, What::Said(_)));
        assert_eq!(said.count(), 1);
    }

    #[tokio::test]
    async fn what_is_too_long_and_who_is_there_already_are_refused() {
        let room = Ref::<dyn Room>::new(Hall::new(Node::new()));
        let (ada, _heard) = join(&room, "ada").await;
        let long = "x".repeat(LONGEST_SAYING + 1);
        assert_eq!(ada.say(&long).await, Err(RoomError::TooLong(long.len() as u64)));
        let (sender, _events) = mpsc::unbounded_channel();
        let member: Ref<dyn Member> = Ref::new(Ear(sender));
        let taken = room.join("ada", member.clone()).await;
        assert_eq!(taken.err(), Some(RoomError::NameTaken("ada".into())));
        assert_eq!(room.join("a b", member).await.err(), Some(RoomError::BadName("a b".into())));
    }
}
