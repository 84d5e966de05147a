//! The objects of the chat: the room that `serve` hosts, and the seats of its members. It must not know terminals and
//! arguments.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use remote_core::{Node, Ref, Remote, Session, SessionState, caller, remote};
use tokio::sync::oneshot;

use crate::log::{Batch, Bounds, Log, Reader};
use crate::room::{
    Attendee, Event, EventKind, LONGEST_TEXT, Member, Presence, Room, RoomError, Seat,
};
use crate::terminal::now;
use crate::user_name;

/// The room that `serve` hosts.
#[derive(Remote)]
#[remote(Room, name = "remote_transcript::HostedRoom")]
pub(crate) struct HostedRoom {
    members: Arc<Members>,
    /// The node whose peers the members are.
    node: Node,
}

impl HostedRoom {
    /// Creates an empty room, for the peers of this node.
    pub(crate) fn new(node: Node) -> HostedRoom {
        let size = |event: &Event| {
            let text = if let EventKind::Said(text) = &event.kind { text.len() } else { 0 };
            text + event.name.len() + size_of::<Event>()
        };
        let log = Log::new(Bounds { capacity: 1 << 20, timeout: Duration::from_secs(10), size });
        HostedRoom {
            members: Arc::new(Members {
                log,
                by_name: Mutex::default(),
                next_seat: AtomicU64::new(0),
            }),
            node,
        }
    }

    /// Returns the log of its events; finishing the log closes the room.
    pub(crate) fn log(&self) -> Arc<Log<Event>> {
        Arc::clone(&self.members.log)
    }
}

#[remote]
impl Room for HostedRoom {
    async fn join(&self, name: &str, member: Ref<dyn Member>) -> Result<Ref<dyn Seat>, RoomError> {
        // A member in this process has no session, and cannot be away.
        let session = self.node.sessions().into_iter().find(|session| session.peer() == caller());
        let name = user_name::parse(name)?;
        let seat = self.members.add(&name)?;
        let membership = Membership { members: Arc::clone(&self.members), seat, name };
        let (in_use, seat_dropped) = oneshot::channel();
        let seat = HostedSeat { membership: membership.clone(), _in_use: in_use };
        tokio::spawn(serve_member(
            membership,
            self.members.log.reader(0),
            member,
            seat_dropped,
            session,
        ));
        seat.membership.append(EventKind::Joined).await?;
        Ok(Ref::new(seat))
    }

    async fn who(&self) -> Result<Vec<Attendee>, RoomError> {
        let by_name = self.members.by_name();
        let attendee = |(name, state): (&String, &MemberState)| Attendee {
            name: name.clone(),
            presence: state.presence,
        };
        Ok(by_name.iter().map(attendee).collect())
    }
}

/// The object through which a member speaks.
#[derive(Remote)]
#[remote(Seat, name = "remote_transcript::HostedSeat")]
struct HostedSeat {
    membership: Membership,
    /// Dropped with the seat, which notifies the task that serves the member.
    _in_use: oneshot::Sender<Infallible>,
}

#[remote]
impl Seat for HostedSeat {
    async fn say(&self, text: &str) -> Result<(), RoomError> {
        if text.len() > LONGEST_TEXT {
            return Err(RoomError::TooLong(text.len() as u64));
        }
        if !self.membership.is_current() {
            return Err(RoomError::NotSeated);
        }
        self.membership.append(EventKind::Said(text.to_owned())).await
    }

    async fn leave(&self) -> Result<(), RoomError> {
        self.membership.end(EventKind::Left).await;
        Ok(())
    }
}

/// The members of a room and their events.
struct Members {
    log: Arc<Log<Event>>,
    by_name: Mutex<BTreeMap<String, MemberState>>,
    next_seat: AtomicU64,
}

/// The seat and the connection of a member.
struct MemberState {
    seat: u64,
    presence: Presence,
}

impl Members {
    /// Adds a member with a new seat, and returns the number of the seat.
    fn add(&self, name: &str) -> Result<u64, RoomError> {
        let mut by_name = self.by_name();
        if by_name.contains_key(name) {
            return Err(RoomError::NameTaken(name.to_owned()));
        }
        let seat = self.next_seat.fetch_add(1, Ordering::Relaxed);
        by_name.insert(name.to_owned(), MemberState { seat, presence: Presence::Here });
        Ok(seat)
    }

    fn by_name(&self) -> MutexGuard<'_, BTreeMap<String, MemberState>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One membership, from joining to leaving. The name may be used by another member after it.
#[derive(Clone)]
struct Membership {
    members: Arc<Members>,
    seat: u64,
    name: String,
}

impl Membership {
    /// Returns true until the member has left.
    fn is_current(&self) -> bool {
        self.members.by_name().get(&self.name).is_some_and(|state| state.seat == self.seat)
    }

    /// Sets the presence of the member, and appends an event if it has changed.
    async fn set_presence(&self, presence: Presence) {
        {
            let mut by_name = self.members.by_name();
            match by_name.get_mut(&self.name).filter(|state| state.seat == self.seat) {
                Some(state) if state.presence != presence => state.presence = presence,
                _ => return,
            }
        }
        let kind = match presence {
            Presence::Away => EventKind::WentAway,
            Presence::Here => EventKind::CameBack,
        };
        let _ = self.append(kind).await; // an error means that the room is closed
    }

    /// Removes the member and appends this event. Does nothing if the member has left already.
    async fn end(&self, kind: EventKind) {
        {
            let mut by_name = self.members.by_name();
            if by_name.get(&self.name).is_none_or(|state| state.seat != self.seat) {
                return;
            }
            by_name.remove(&self.name);
        }
        let _ = self.append(kind).await; // an error means that the room is closed
    }

    async fn append(&self, kind: EventKind) -> Result<(), RoomError> {
        let event = Event { time: now(), seat: self.seat, name: self.name.clone(), kind };
        Ok(self.members.log.append([event]).await?)
    }
}

/// Sends events to one member until it leaves, is gone, or the room closes.
async fn serve_member(
    membership: Membership,
    mut events: Reader<Event>,
    member: Ref<dyn Member>,
    seat_dropped: oneshot::Receiver<Infallible>,
    session: Option<Session>,
) {
    let ended = Ref::monitor(&member);
    let sending = send_events(&membership, &mut events, &member);
    let watch_seat = async {
        let Err(_dropped) = seat_dropped.await;
        // If the member has left, this does nothing, and the member still gets the rest.
        membership.end(EventKind::Vanished).await;
        std::future::pending().await
    };
    let sent = tokio::select! {
        _ = ended => None,
        sent = sending => sent.ok(),
        never = watch_seat => never,
        never = watch_session(&membership, session) => never,
    };
    if sent.is_none() {
        // The reader first: the log must not wait for a member that is gone.
        drop(events);
        membership.end(EventKind::Vanished).await;
    }
}

/// Sets the presence of a member when its connection is lost or restored. The monitor reports the end of the session.
async fn watch_session<Never>(membership: &Membership, session: Option<Session>) -> Never {
    if let Some(mut state) = session.as_ref().map(Session::watch) {
        loop {
            let now = *state.borrow_and_update();
            match now {
                SessionState::Connected => membership.set_presence(Presence::Here).await,
                SessionState::Suspended => membership.set_presence(Presence::Away).await,
                _ => break,
            }
            if state.changed().await.is_err() {
                break;
            }
        }
    }
    std::future::pending().await
}

/// Sends the member all events up to its own leaving or the end of the room.
async fn send_events(
    membership: &Membership,
    events: &mut Reader<Event>,
    member: &Ref<dyn Member>,
) -> remote_core::Result<()> {
    let mut expected = None;
    while let Some(Batch { first, mut entries }) = events.next().await {
        let missed_some = expected.is_some_and(|expected| expected != first);
        expected = Some(first + entries.len() as u64);
        let leaving = entries.iter().position(|event| {
            event.seat == membership.seat
                && matches!(event.kind, EventKind::Left | EventKind::Vanished)
        });
        if let Some(at) = leaving {
            entries.truncate(at + 1);
        }
        member.events(first, entries).await?;
        // Its own leaving may be among the missed events.
        if leaving.is_some() || missed_some && !membership.is_current() {
            break;
        }
    }
    member.closed().await
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// Passes the events on, and `None` at the end.
    #[derive(Remote)]
    #[remote(Member, name = "remote_transcript::hosted_room::tests::Recorder")]
    struct Recorder(mpsc::UnboundedSender<Option<Event>>);

    #[remote]
    impl Member for Recorder {
        async fn events(&self, _first: u64, events: Vec<Event>) -> remote_core::Result<()> {
            let sent = events.into_iter().try_for_each(|event| self.0.send(Some(event)));
            sent.map_err(|_| remote_core::Error::Cancelled)
        }

        async fn closed(&self) -> remote_core::Result<()> {
            self.0.send(None).map_err(|_| remote_core::Error::Cancelled)
        }
    }

    type Received = mpsc::UnboundedReceiver<Option<Event>>;

    async fn join(room: &Ref<dyn Room>, name: &str) -> (Ref<dyn Seat>, Received) {
        let (sender, received) = mpsc::unbounded_channel();
        (room.join(name, Ref::new(Recorder(sender))).await.unwrap(), received)
    }

    /// Receives all events to the end.
    async fn received(mut events: Received) -> Vec<(String, EventKind)> {
        let mut received = Vec::new();
        while let Some(Some(event)) = events.recv().await {
            received.push((event.name, event.kind));
        }
        received
    }

    #[tokio::test]
    async fn a_member_gets_events_from_its_joining_to_its_leaving() {
        let room = Ref::<dyn Room>::new(HostedRoom::new(Node::new()));
        let (ada, ada_events) = join(&room, "ada").await;
        let (ben, ben_events) = join(&room, "ben").await;
        ben.say("hello").await.unwrap();
        ben.leave().await.unwrap();
        ada.say("alone").await.unwrap();
        ada.leave().await.unwrap();
        let event = |name: &str, kind| (name.to_owned(), kind);
        let bens = [
            event("ben", EventKind::Joined),
            event("ben", EventKind::Said("hello".into())),
            event("ben", EventKind::Left),
        ];
        assert_eq!(received(ben_events).await, bens);
        let rest = [event("ada", EventKind::Said("alone".into())), event("ada", EventKind::Left)];
        assert_eq!(
            received(ada_events).await,
            [&[event("ada", EventKind::Joined)], &bens[..], &rest].concat()
        );
        assert_eq!(room.who().await.unwrap(), []);
    }

    #[tokio::test]
    async fn dropping_the_seat_ends_the_membership() {
        let room = Ref::<dyn Room>::new(HostedRoom::new(Node::new()));
        let (_ada, mut events) = join(&room, "ada").await;
        let (ben, _events) = join(&room, "ben").await;
        drop(ben);
        while events.recv().await.unwrap().unwrap().kind != EventKind::Vanished {}
        let ada = Attendee { name: "ada".into(), presence: Presence::Here };
        assert_eq!(room.who().await.unwrap(), [ada]);
    }

    #[tokio::test]
    async fn a_seat_cannot_speak_after_leaving_even_if_the_name_is_in_use() {
        let room = Ref::<dyn Room>::new(HostedRoom::new(Node::new()));
        let (old, _events) = join(&room, "ada").await;
        old.leave().await.unwrap();
        let (new, events) = join(&room, "ada").await;
        assert_eq!(old.say("it is me").await, Err(RoomError::NotSeated));
        old.leave().await.unwrap();
        new.say("no, me").await.unwrap();
        new.leave().await.unwrap();
        let said = received(events)
            .await
            .into_iter()
            .filter(|(_, kind)| matches!(kind, EventKind::Said(_)));
        assert_eq!(said.count(), 1);
    }

    #[tokio::test]
    async fn long_texts_and_names_in_use_are_refused() {
        let room = Ref::<dyn Room>::new(HostedRoom::new(Node::new()));
        let (ada, _events) = join(&room, "ada").await;
        let long = "x".repeat(LONGEST_TEXT + 1);
        assert_eq!(ada.say(&long).await, Err(RoomError::TooLong(long.len() as u64)));
        let (sender, _events) = mpsc::unbounded_channel();
        let member: Ref<dyn Member> = Ref::new(Recorder(sender));
        let taken = room.join("ada", member.clone()).await;
        assert_eq!(taken.err(), Some(RoomError::NameTaken("ada".into())));
        assert_eq!(room.join("a b", member).await.err(), Some(RoomError::BadName("a b".into())));
    }
}
