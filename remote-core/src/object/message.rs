//! Messages, their receivers (near objects, far objects, promises), and the routes to far objects.
//!
//! It must not know the implementations. The types are in one file because they contain each other: a receiver takes a
//! message, a message contains references, a reference is a receiver.

use std::any::Any;
use std::borrow::Borrow;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::peer::Peer;
use super::slot::Slot;
use crate::error::{Error, Result};
use crate::id::{CallToken, NodeId, ObjectId, QuestionId, Token, WatchId};
use crate::limits::Bounds;
use crate::session::Name;
use crate::session::chain::Chain;
use crate::session::event::Cause;
use crate::session::header::{CallHeader, Selector};
use crate::wire::body::Body;
use crate::wire::frame::{Manner, Target};
use crate::wire::method::Method;

/// A receiver of messages.
pub(crate) trait Receiver: Send + Sync + 'static {
    /// Sends a message. Messages to one receiver start in the order of these calls. `this` is the receiver itself, to be
    /// cloned by an implementation that needs it; the fast path of far calls does not.
    fn ask(&self, this: &Arc<dyn Receiver>, request: Request) -> Asked;

    /// Returns the route of messages that leave the process.
    fn route(&self) -> Option<&Arc<dyn Route>> {
        None
    }

    /// Returns the user's object, if it is near.
    fn object(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }

    /// Returns the location of the object.
    fn location(&self) -> Location;

    /// Returns the name of the class of a near object.
    fn class(&self) -> Option<&'static str> {
        None
    }

    /// Returns the number under which this process exports the object.
    fn export_id(&self) -> ObjectId;

    /// Calls the watcher when the object ends, unless the returned guard is dropped before.
    fn watch(self: Arc<Self>, watcher: Watcher) -> Box<dyn Send + Sync>;

    /// Stops a near object.
    fn stop(&self, _reason: &str) -> Result<()> {
        Err(not_near())
    }

    /// Notes that a method of a near object has panicked, with this message.
    fn note_panic(&self, _panic: &str) {}

    /// Returns an error if the object is known not to have an interface.
    fn require(&self, _interface: std::any::TypeId, _name: &str) -> Result<()> {
        Ok(())
    }

    /// Returns the token by which this side can claim a far object from its owner, until it has claimed it.
    fn token(&self) -> Option<Token> {
        None
    }

    /// Waits until the path to a far object is final.
    fn settled(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    /// Notes that a node exports the object. The first such node is its owner.
    fn exported_by(&self, _node: NodeId) {}

    /// Returns the failure of a promise.
    fn failure(&self) -> Option<Failure> {
        None
    }

    /// Returns the receiver to which a promise has resolved.
    fn resolution(&self) -> Option<Resolution> {
        None
    }

    /// Takes the receiver to which a promise has resolved, because the promise is being dropped.
    fn take_resolution(&mut self) -> Option<Arc<dyn Receiver>> {
        None
    }

    /// Waits until a promise is resolved, and returns its object. Any other receiver returns itself.
    fn resolved(self: Arc<Self>) -> Resolving;
}

/// The receiver to which a promise has resolved.
pub(crate) struct Resolution {
    pub(crate) target: Arc<dyn Receiver>,
    /// True if all messages that were sent to the promise before have been sent to the target.
    pub(crate) is_complete: bool,
}

/// The failure of a promise.
pub(crate) struct Failure {
    /// The method whose call failed.
    pub(crate) method: &'static Method,
    pub(crate) reply: Reply,
    /// The promise that it was pipelined on, if it failed because that one did.
    pub(super) on: Option<Arc<dyn Receiver>>,
}

/// Returns the error for stopping an object that is not near.
pub(crate) fn not_near() -> Error {
    Error::Refused(
        "only a near object can be stopped; to stop a far one, send it a message of its own interface".into(),
    )
}

/// The future of the object to which a promise resolves.
pub(crate) type Resolving = Pin<Box<dyn Future<Output = Result<Arc<dyn Receiver>>> + Send>>;

/// Called once when an object ends.
pub(crate) type Watcher = Box<dyn FnOnce(Ended) + Send + Sync>;

/// The reason for which an object has ended; the output of a [`Monitor`](crate::Monitor).
///
/// ```
/// # use remote_core::{Ended, Ref, Remote, Result, remote};
/// # #[remote] trait Ping { async fn ping(&self) -> Result<u8>; }
/// # #[derive(Remote)] #[remote(Ping)] struct Comet;
/// # #[remote] impl Ping for Comet { async fn ping(&self) -> Result<u8> { Ok(1) } }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let object: Ref<dyn Ping> = Ref::new(Comet);
/// let monitor = Ref::monitor(&object);
/// drop(object);
/// let text = match monitor.await {
///     Ended::Released => "no reference is left".to_owned(),
///     Ended::Stopped(reason) => format!("stopped: {reason}"),
///     other => format!("unreachable: {other}"),
/// };
/// assert_eq!(text, "no reference is left");
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The last reference to it was dropped.
    Released,
    /// It was stopped, with this reason.
    Stopped(String),
    /// The session with the object's node ended, with this reason. It is not known if the object still exists.
    SessionEnded(String),
    /// The lease expired, because nothing arrived from the object's node. It is not known if the object still exists.
    LeaseExpired,
    /// The object's node was restarted.
    Restarted,
}

impl Ended {
    /// Returns the end of a far object whose session has ended.
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
            Ended::LeaseExpired => write!(f, "nothing arrived from its node until the lease ended"),
            Ended::Restarted => write!(f, "its node was restarted"),
        }
    }
}

/// The location of an object.
#[derive(Clone)]
pub(crate) enum Location {
    /// In this process. The owner is the node that first exported it.
    Near { object: ObjectId, owner: Option<NodeId> },
    /// In another process, owned by `node` as `object`. The peer of the route knows it as `entry`. There is no route while
    /// the path is being shortened.
    Far { route: Option<RouteId>, entry: ObjectId, node: NodeId, object: ObjectId },
    /// Not known yet: the result of a call in progress.
    Promise { object: ObjectId },
    /// At an address for datagrams. Messages are not answered.
    Addressed { object: ObjectId },
}

impl Location {
    /// Returns true if both are locations of the same object. A promise, or an object at an address, is the same only as its
    /// clones.
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

    /// Returns a number for hashing, which is the same for all locations of one object.
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
    pub(crate) header: CallHeader,
    pub(crate) payload: Payload,
    /// The node that sent it; `None` if the message did not leave the process.
    pub(crate) caller: Option<Peer>,
    /// The waker for the reply, if the message leaves the process: passing it here saves a lock later.
    pub(crate) waker: Option<Waker>,
}

impl Request {
    /// Returns the request for a node that forwards it: see [`CallHeader::for_the_reply`].
    pub(crate) fn for_the_reply(mut self) -> Request {
        self.header = self.header.for_the_reply();
        self
    }

    /// Makes a message without arguments.
    pub(crate) fn plain(method: &'static Method) -> Request {
        let selector = Selector::Own(method);
        let (manner, nesting, deadline, is_continuation) = (Manner::Call, 0, None, false);
        let chain = Chain::default();
        let header = CallHeader { selector, manner, nesting, deadline, chain, is_continuation };
        Request { header, payload: Payload::default(), caller: None, waker: None }
    }
}

/// The result of sending a message.
pub(crate) enum Asked {
    /// The method runs in this process, while this is polled.
    Running(Running),
    /// It was sent by the receiver's route. The claim is for its reply.
    Sent(Claim),
    /// It was not sent.
    Refused(Error),
}

/// A method that is being executed; see `execution`.
pub(crate) struct Running {
    pub(crate) future: Replying,
    pub(crate) context: Option<Context>,
}

/// The future of a reply.
pub(crate) type Replying = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// The context of a message that is being executed.
pub(crate) struct Context {
    /// The object; `None` after the method has returned with a deferred reply.
    pub(crate) this: Option<Arc<dyn Receiver>>,
    pub(crate) caller: Option<Peer>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) nesting: u8,
    /// The serial executions that wait for it, with its own if its object is serial.
    pub(crate) chain: Chain,
}

/// Arguments or a result: the encoded bytes, and the references to which they refer by position.
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
    pub(crate) interface: InterfaceName,
}

/// The name of a reference's interface.
#[derive(Clone)]
pub(crate) enum InterfaceName {
    Unknown,
    Own(&'static str),
    Announced(Arc<Name>),
}

impl InterfaceName {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            InterfaceName::Unknown => None,
            InterfaceName::Own(name) => Some(name),
            InterfaceName::Announced(name) => Some(&name.text),
        }
    }
}

/// The reply to a message.
#[derive(Clone)]
pub enum Reply {
    /// The value that the method returned.
    Value(Payload),
    /// The error that the method returned, of its interface's error type.
    Failure(Payload),
    /// An error of the system; the method did not return it.
    Fault(Error),
}

/// A route to the objects of one peer.
pub(crate) trait Route: Send + Sync + 'static {
    /// Sends a message. The claim is for its reply.
    fn ask(&self, target: Target, request: Request) -> Result<Claim, Error>;

    /// Returns the limit of a call that has no deadline of its own and inherits none.
    fn call_timeout(&self) -> Option<Duration>;

    /// Returns the runtime that drives the route, once it is driven.
    fn runtime(&self) -> Option<Handle>;

    /// Notes that the reply is no longer needed.
    fn abandon(&self, token: CallToken, question: QuestionId);

    /// Notes that no more messages will be sent to the answer of a promise.
    fn finish(&self, token: CallToken, question: QuestionId);

    /// Releases one introduction of an object of the peer. Does not block for long, and never panics.
    fn release(&self, object: ObjectId);

    /// Returns true if messages to the answer of a promise still wait to be sent.
    fn is_behind(&self, question: QuestionId) -> bool;

    /// Requests a report from the peer when one of its objects ends. Returns `None` if the session has ended; then the watcher
    /// has been called.
    fn watch(&self, object: ObjectId, watcher: Watcher) -> Option<WatchId>;

    /// Drops a watcher.
    fn unwatch(&self, watch: WatchId);

    /// Counts a stream on the route, until `end_stream`. The receiver becomes true when the stream should end, because the node
    /// at one of its ends is shutting down.
    fn begin_stream(&self) -> watch::Receiver<bool>;

    /// Ends the count of a stream.
    fn end_stream(&self);
}

/// Identifies a route while it exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RouteId(usize);

impl RouteId {
    pub(crate) fn of<R: Route + ?Sized>(route: &R) -> RouteId {
        RouteId(std::ptr::from_ref(route).addr())
    }
}

/// The identification of a reply, and the slot where it arrives.
pub(crate) struct Claim {
    pub(crate) token: CallToken,
    pub(crate) question: QuestionId,
    pub(crate) slot: Arc<Slot<Reply>>,
}

impl Claim {
    /// Polls for the reply.
    #[inline(always)]
    pub(crate) fn poll(&self, context: &mut task::Context<'_>) -> Poll<Reply> {
        self.slot.poll(context).map(|reply| reply.unwrap_or(Reply::Fault(Error::Cancelled)))
    }
}

/// The right to a reply. Dropping it before the reply has arrived cancels the call. The route is owned, or borrowed from
/// the reference to which the message was sent.
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

    /// Waits for the reply.
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
