//! Owns what a message is, what receives one (near objects, far ones, promises), and the route that it takes to a far one.
//!
//! It must not know how any of them does it. These belong together because each is made of the others: a receiver takes a
//! message, a message carries references, a reference is a receiver.

use std::any::Any;
use std::borrow::Borrow;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, Waker};
use std::time::Instant;

use super::peer::Peer;
use super::slot::Slot;
use crate::error::{Error, Result};
use crate::id::{CallToken, NodeId, ObjectId, QuestionId, Token, WatchId};
use crate::limits::Bounds;
use crate::session::Name;
use crate::session::event::Cause;
use crate::wire::body::Body;
use crate::wire::frame::{Manner, Target};
use crate::wire::method::Method;

/// What receives messages.
pub(crate) trait Receiver: Send + Sync + 'static {
    /// Sends a message. Messages to one receiver start in the order of these calls. `this` is the receiver itself: who
    /// needs a share of it takes one, and the hot path of a far call needs none.
    fn ask(&self, this: &Arc<dyn Receiver>, request: Request) -> Asked;

    /// The way that messages take, if they leave the process.
    fn route(&self) -> Option<&Arc<dyn Route>> {
        None
    }

    /// A near object: the user's.
    fn object(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }

    /// Where the object is.
    fn location(&self) -> Location;

    /// The class of a near object.
    fn class(&self) -> Option<&'static str> {
        None
    }

    /// The number under which this process shows the object to peers.
    fn export_id(&self) -> ObjectId;

    /// Tells the watcher when the object ends; until the guard is dropped.
    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync>;

    /// Ends a near object.
    fn stop(&self, _reason: &str) -> Result<()> {
        Err(not_near())
    }

    /// A method of a near object's has panicked, with this message.
    fn note_panic(&self, _panic: &str) {}

    /// Refuses an interface that the object is known not to have.
    fn require(&self, _interface: std::any::TypeId, _name: &str) -> Result<()> {
        Ok(())
    }

    /// By which token this side is to be given a far object by its owner, as long as it is not.
    fn token(&self) -> Option<Token> {
        None
    }

    /// Ready when the way to a far object changes no more.
    fn settled(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    /// Called by the node that shows the object to a peer. The first one owns it.
    fn exported_by(&self, _node: NodeId) {}

    /// A promise: what it failed with, and the method that did.
    fn failure(&self) -> Option<(&'static Method, Reply)> {
        None
    }

    /// A promise: the object, once it is known. Anything else is itself.
    fn resolved(self: Arc<Self>) -> Resolving;
}

/// What is said to who would stop what is not this side's.
pub(crate) fn not_near() -> Error {
    Error::Refused(
        "only a near object can be stopped; ask the far one by a message of its own".into(),
    )
}

/// The future of the object that a promise stands for.
pub(crate) type Resolving = Pin<Box<dyn Future<Output = Result<Arc<dyn Receiver>>> + Send>>;

/// Told once when an object ends.
pub(crate) type Watcher = Box<dyn FnOnce(Ended) + Send + Sync>;

/// Why an object ended, as its monitors are told.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The last reference to it was dropped.
    Released,
    /// It was stopped, with this reason.
    Stopped(String),
    /// The session with the node that has it ended, with this reason: whether it lives is unknown.
    SessionEnded(String),
    /// The lease ended: the node that has it was not heard for too long.
    LeaseExpired,
    /// The node that had it was restarted.
    Restarted,
}

impl Ended {
    /// What became of a far object with the session by which it was known.
    pub(crate) fn of(cause: &Cause) -> Ended {
        match cause {
            Cause::Expired => Ended::LeaseExpired,
            Cause::Restarted => Ended::Restarted,
            other => Ended::SessionEnded(other.reason().to_owned()),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Released => write!(f, "nobody refers to it any more"),
            Ended::Stopped(reason) => write!(f, "it was stopped: {reason}"),
            Ended::SessionEnded(reason) => write!(f, "the session with its node ended: {reason}"),
            Ended::LeaseExpired => write!(f, "its node was not heard until the lease ended"),
            Ended::Restarted => write!(f, "its node was restarted"),
        }
    }
}

/// Where an object is.
#[derive(Clone)]
pub(crate) enum Location {
    /// In this process; the node that first showed it to a peer owns it.
    Near { object: ObjectId, owner: Option<NodeId> },
    /// In another process, owned by `node` under `object`. The peer of the route knows it by `entry`; no route is said while
    /// the path is being shortened.
    Far { route: Option<RouteId>, entry: ObjectId, node: NodeId, object: ObjectId },
    /// Not known yet.
    Promise { object: ObjectId },
    /// At some address, and never known: what is sent there is not answered.
    Addressed { object: ObjectId },
}

impl Location {
    /// Equal for one object, however reached. A promise equals only itself, and so does what is known by its address.
    pub(crate) fn is_same(&self, other: &Location) -> bool {
        match (self, other) {
            (Location::Near { object: one, .. }, Location::Near { object: other, .. }) => {
                one == other
            }
            (Location::Promise { object: one }, Location::Promise { object: other })
            | (Location::Addressed { object: one }, Location::Addressed { object: other }) => {
                one == other
            }
            (
                Location::Far { node, object, .. },
                Location::Far { node: other_node, object: other, .. },
            ) => (node, object) == (other_node, other),
            (Location::Near { object, owner }, Location::Far { node, object: other, .. })
            | (Location::Far { node, object: other, .. }, Location::Near { object, owner }) => {
                object == other && *owner == Some(*node)
            }
            _ => false,
        }
    }

    /// What a hash may depend on: the object's number is the same wherever it is seen from.
    pub(crate) fn number(&self) -> u64 {
        match self {
            Location::Near { object, .. }
            | Location::Far { object, .. }
            | Location::Promise { object }
            | Location::Addressed { object } => object.0,
        }
    }
}

/// A message to be received.
pub(crate) struct Request {
    pub(crate) selector: Selector,
    pub(crate) payload: Payload,
    pub(crate) manner: Manner,
    pub(crate) deadline: Option<Instant>,
    /// How often calls have gone back and forth to come here.
    pub(crate) nesting: u8,
    /// Nobody, if it never leaves the process.
    pub(crate) caller: Option<Peer>,
    /// Who is to be woken by the reply, if the message leaves the process: known beforehand, it saves a lock.
    pub(crate) waker: Option<Waker>,
}

/// Which message it is.
pub(crate) enum Selector {
    /// A method of an interface that this process has.
    Own(&'static Method),
    /// As a peer announced it.
    Heard(Arc<Name>),
}

impl Request {
    /// The same, if it comes from one who pipelines on it and is passed on by one who does not: what is pipelined waits
    /// for the reply where it is passed on.
    pub(crate) fn for_the_reply(mut self) -> Request {
        self.manner = self.manner.for_the_reply();
        self
    }

    /// A message without arguments of this crate's own.
    pub(crate) fn plain(method: &'static Method) -> Request {
        Request {
            selector: Selector::Own(method),
            payload: Payload::default(),
            manner: Manner::Ask,
            deadline: None,
            nesting: 0,
            caller: None,
            waker: None,
        }
    }
}

impl Selector {
    pub(crate) fn text(&self) -> &str {
        match self {
            Selector::Own(method) => method.selector(),
            Selector::Heard(name) => &name.text,
        }
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        match self {
            Selector::Own(method) => method.fingerprint(),
            Selector::Heard(name) => name.fingerprint,
        }
    }
}

/// What became of a message.
pub(crate) enum Asked {
    /// It is executed here, by whoever polls it.
    Running(Running),
    /// It is on its way, by the receiver's route; the claim is to the reply.
    Sent(Claim),
    /// It was not sent.
    Refused(Error),
}

/// A method being executed; see `execution`.
pub(crate) struct Running {
    pub(crate) future: Replying,
    pub(crate) context: Option<Context>,
}

/// The future of a reply.
pub(crate) type Replying = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// What a method can ask about the message that it executes.
pub(crate) struct Context {
    /// Nobody, once the method has returned and its caller waits for an answer that comes later.
    pub(crate) this: Option<Arc<dyn Receiver>>,
    pub(crate) caller: Option<Peer>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) nesting: u8,
}

/// The arguments of a message, or its result: bytes, and the references that they name by place.
#[derive(Clone, Default)]
pub struct Payload {
    pub(crate) body: Body,
    pub(crate) references: Vec<Reference>,
    pub(crate) bounds: Bounds,
}

/// A reference in a payload, with the interface through which it was sent.
#[derive(Clone)]
pub(crate) struct Reference {
    pub(crate) receiver: Arc<dyn Receiver>,
    pub(crate) interface: Interfaced,
}

/// The name of the interface of a reference.
#[derive(Clone)]
pub(crate) enum Interfaced {
    Unknown,
    Own(&'static str),
    Heard(Arc<Name>),
}

impl Interfaced {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Interfaced::Unknown => None,
            Interfaced::Own(name) => Some(name),
            Interfaced::Heard(name) => Some(&name.text),
        }
    }
}

/// How a message was answered.
#[derive(Clone)]
pub enum Reply {
    /// With the value that the method returned.
    Value(Payload),
    /// With the error that the method returned, of its interface's error type.
    Failure(Payload),
    /// Without the method having a say.
    Fault(Error),
}

/// A way to the objects of one peer.
pub(crate) trait Route: Send + Sync + 'static {
    /// Sends a message; the claim is to the reply.
    fn ask(&self, target: Target, request: Request) -> Result<Claim, Error>;

    /// Nobody wants the reply any more.
    fn abandon(&self, token: CallToken, question: QuestionId);

    /// Nothing more will be sent to the answer of a promise.
    fn finish(&self, token: CallToken, question: QuestionId);

    /// A proxy for an object of the peer's was dropped. Never blocks for long, never panics.
    fn release(&self, object: ObjectId);

    /// Whether messages to the answer of a promise still wait to be sent.
    fn is_behind(&self, question: QuestionId) -> bool;

    /// Has the peer report the end of one of its objects to a watcher. `None` if the session is over: then the watcher was
    /// called.
    fn watch(&self, object: ObjectId, watcher: Watcher) -> Option<WatchId>;

    /// Drops a watcher.
    fn unwatch(&self, watch: WatchId);
}

/// Identifies a route while it exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RouteId(usize);

impl RouteId {
    pub(crate) fn of<R: Route + ?Sized>(route: &R) -> RouteId {
        RouteId(std::ptr::from_ref(route).addr())
    }
}

/// What names the reply to one message, and where it will be.
pub(crate) struct Claim {
    pub(crate) token: CallToken,
    pub(crate) question: QuestionId,
    pub(crate) slot: Arc<Slot<Reply>>,
}

impl Claim {
    /// The reply, or a wake-up when it is here.
    #[inline(always)]
    pub(crate) fn poll(&self, context: &mut task::Context<'_>) -> Poll<Reply> {
        self.slot.poll(context).map(|reply| reply.unwrap_or(Reply::Fault(Error::Cancelled)))
    }
}

/// The duty to take the reply to one message. Dropped before, it cancels. The route is owned, or borrowed from the
/// reference that was sent the message.
pub(crate) struct Ticket<R: Borrow<Arc<dyn Route>>> {
    route: R,
    claim: Claim,
    spent: bool,
}

impl<R: Borrow<Arc<dyn Route>>> Ticket<R> {
    pub(crate) fn new(route: R, claim: Claim) -> Ticket<R> {
        Ticket { route, claim, spent: false }
    }

    pub(crate) fn poll(&mut self, context: &mut task::Context<'_>) -> Poll<Reply> {
        let reply = self.claim.poll(context);
        self.spent |= reply.is_ready();
        reply
    }

    /// The reply.
    pub(crate) async fn reply(mut self) -> Reply {
        poll_fn(|context| self.poll(context)).await
    }
}

impl<R: Borrow<Arc<dyn Route>>> Drop for Ticket<R> {
    fn drop(&mut self) {
        if !self.spent {
            self.route.borrow().abandon(self.claim.token, self.claim.question);
        }
    }
}
