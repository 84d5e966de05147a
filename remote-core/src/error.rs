//! Owns what a caller can be told when a call fails: one enum, each kind saying what is known about *this* call.
//!
//! It must not know how calls travel; what a peer did wrong on the wire is [`Breach`](crate::wire::breach::Breach)'s.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The result of a message, unless its interface names an error type of its own.
///
/// ```
/// fn answer() -> remote_core::Result<u64> {
///     Ok(42)
/// }
/// # assert_eq!(answer(), Ok(42));
/// ```
pub type Result<V, E = Error> = std::result::Result<V, E>;

/// What is known about whether a failed call was executed.
///
/// ```
/// use remote_core::{Error, Outcome};
/// assert_eq!(Error::Timeout.outcome(), Outcome::Unknown);
/// assert_eq!(Error::Panicked("index out of bounds".into()).outcome(), Outcome::Failed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The method did not begin: it is safe to call again.
    NotExecuted,
    /// The method began and failed.
    Failed,
    /// Nobody can tell: the method may have run, in part or whole.
    Unknown,
}

/// Why a call failed.
///
/// Every kind names in one line what was wrong and, where something can be done, what. The outcome belongs to one
/// call: an `Error` that leaves a method, also inside an error type of the user's, arrives at the caller as
/// [`Error::Nested`].
///
/// ```
/// use remote_core::{Error, Outcome};
/// let error = Error::NameNotFound { name: "printer".into() };
/// assert_eq!(error.outcome(), Outcome::NotExecuted);
/// assert_eq!(error.to_string(), "no object is published as `printer`; `Node::names` lists those that are");
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum Error {
    /// No session with the node could be made.
    NotConnected {
        /// Where the node was looked for.
        address: String,
        /// What stood in the way.
        reason: String,
    },
    /// An address that is no address.
    InvalidUri {
        /// The text given.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing is published under the name.
    NameNotFound {
        /// The name looked up.
        name: String,
    },
    /// Something is published under the name already.
    NameInUse {
        /// The name in question.
        name: String,
    },
    /// The reference names an object that the peer never had from the node, or gave back.
    NoSuchObject,
    /// The reference comes from a former life of a node that was restarted.
    Stale,
    /// The lease of the reference ended while nobody could renew it.
    LeaseExpired,
    /// The session with the other node ended while the call was in progress.
    SessionLost {
        /// Why it ended.
        reason: String,
        /// What is known about the call.
        outcome: Outcome,
    },
    /// The object was stopped, with this reason.
    Ended(String),
    /// The class of the object has no such message.
    MessageNotUnderstood {
        /// The class of the receiver.
        class: String,
        /// Interface and method, as `Greeter.greet`.
        selector: String,
    },
    /// The class has a message of this name, but with other parameters or another result.
    SignatureMismatch {
        /// The class of the receiver.
        class: String,
        /// Interface and method, as `Greeter.greet`.
        selector: String,
    },
    /// The object does not answer to the interface asked for.
    WrongInterface {
        /// The class or the interface of the object.
        found: String,
        /// The interface asked for.
        wanted: String,
    },
    /// A polymorphic value of a class that this side does not have.
    UnknownClass(String),
    /// Two classes share one name.
    DuplicateClass {
        /// The name.
        name: String,
        /// Where both are defined.
        paths: (String, String),
    },
    /// An argument or a result could not be encoded.
    Encode(String),
    /// The bytes received are not what the signature says.
    Decode(String),
    /// A body larger than the receiver takes.
    TooLarge {
        /// Bytes needed.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A limit of `Limits` was reached; the text names it.
    Quota(String),
    /// The deadline passed before the answer came.
    Timeout,
    /// The call was cancelled.
    Cancelled,
    /// The method panicked, with this message; object and node go on.
    Panicked(String),
    /// The method failed with an error of a call of its own.
    #[serde(serialize_with = "plain")]
    Nested(Box<Error>),
    /// The call was pipelined on a promise, which failed with this error.
    #[serde(serialize_with = "plain")]
    Broken(Box<Error>),
    /// The peer broke the protocol; the session ended.
    Protocol(String),
    /// The system refused.
    Io(String),
    /// What was asked for is not permitted; the text says what to do instead.
    Refused(String),
    /// A call that blocks its thread, made inside a runtime.
    InsideRuntime,
    /// The method returned, and its reply was to be given later; but whoever had it dropped it.
    Unanswered,
}

impl Error {
    /// What is known about whether the call that failed with this was executed.
    pub fn outcome(&self) -> Outcome {
        match self {
            Error::SessionLost { outcome, .. } => *outcome,
            Error::Panicked(_) | Error::Nested(_) | Error::Unanswered => Outcome::Failed,
            Error::Timeout
            | Error::Cancelled
            | Error::LeaseExpired
            | Error::Protocol(_)
            | Error::Io(_) => Outcome::Unknown,
            _ => Outcome::NotExecuted,
        }
    }

    /// The error at the root: what a [`Error::Nested`] or [`Error::Broken`] carries inside.
    ///
    /// ```
    /// use remote_core::Error;
    /// let error = Error::Nested(Box::new(Error::Broken(Box::new(Error::Timeout))));
    /// assert_eq!(error.root(), &Error::Timeout);
    /// ```
    pub fn root(&self) -> &Error {
        match self {
            Error::Nested(inner) | Error::Broken(inner) => inner.root(),
            other => other,
        }
    }

    /// As it stands for a call that was pipelined on the promise that failed with this.
    pub(crate) fn broken(self) -> Error {
        match self {
            Error::Broken(_) => self,
            other => Error::Broken(Box::new(other)),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::NotConnected { address, reason } => {
                write!(f, "no connection to {address}: {reason}")
            }
            Error::InvalidUri { uri, reason } => write!(f, "`{uri}` is not an address: {reason}"),
            Error::NameNotFound { name } => {
                write!(f, "no object is published as `{name}`; `Node::names` lists those that are")
            }
            Error::NameInUse { name } => {
                write!(
                    f,
                    "an object is published as `{name}` already; unpublish it first or choose another name"
                )
            }
            Error::NoSuchObject => {
                write!(f, "the reference names no object that this session was given")
            }
            Error::Stale => {
                write!(
                    f,
                    "the node was restarted since the reference was given out; look the object up again"
                )
            }
            Error::LeaseExpired => {
                write!(f, "the lease of the reference ended; look the object up again")
            }
            Error::SessionLost { reason, outcome } => {
                let known = match outcome {
                    Outcome::NotExecuted => "the call was not executed",
                    Outcome::Failed => "the call was executed and failed",
                    Outcome::Unknown => "whether the call was executed is unknown",
                };
                write!(f, "the session ended ({reason}); {known}")
            }
            Error::Ended(reason) => write!(f, "the object has ended: {reason}"),
            Error::MessageNotUnderstood { class, selector } => {
                write!(f, "class {class} does not understand `{selector}`")
            }
            Error::SignatureMismatch { class, selector } => write!(
                f,
                "class {class} has a `{selector}` with other parameters or another result; \
                 build both sides with the same interface"
            ),
            Error::WrongInterface { found, wanted } => {
                write!(f, "{found} does not answer to the interface {wanted}")
            }
            Error::UnknownClass(class) => write!(
                f,
                "this side has no class `{class}`; link the crate that defines it (`use that_crate as _;`)"
            ),
            Error::DuplicateClass { name, paths: (one, other) } => {
                write!(
                    f,
                    "two classes are named `{name}`: {one} and {other}; give one of them `name = \"..\"`"
                )
            }
            Error::Encode(reason) => write!(f, "a value could not be encoded: {reason}"),
            Error::Decode(reason) => write!(f, "a value could not be decoded: {reason}"),
            Error::TooLarge { size, limit } => {
                write!(f, "a body of {size} bytes is over the limit of {limit}; send it in parts")
            }
            Error::Quota(limit) => write!(f, "a limit was reached: {limit}"),
            Error::Timeout => write!(f, "the deadline passed before the answer came"),
            Error::Cancelled => write!(f, "the call was cancelled"),
            Error::Panicked(message) => write!(f, "the method panicked: {message}"),
            Error::Nested(inner) => write!(f, "the method failed: {inner}"),
            Error::Broken(inner) => write!(f, "the promise was broken: {inner}"),
            Error::Protocol(reason) => write!(f, "the peer broke the protocol: {reason}"),
            Error::Io(reason) => write!(f, "{reason}"),
            Error::Refused(reason) => write!(f, "{reason}"),
            Error::InsideRuntime => {
                write!(
                    f,
                    "`Call::wait` blocks its thread and cannot be used inside a runtime; await the call instead"
                )
            }
            Error::Unanswered => {
                write!(f, "the object kept the reply to be given later, and dropped it")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Nested(inner) | Error::Broken(inner) => Some(inner),
            _ => None,
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::Io(error.to_string())
    }
}

/// The newtype name under which an error is serialized while it is not yet nested. The encoder of a failing
/// method's error looks for it and puts [`Error::Nested`] around (see `wire::bounded_writer`).
pub(crate) const UNNESTED: &str = "remote_core::Error";
/// Where `Nested` stands among the kinds, as serde counts them.
pub(crate) const NESTED_INDEX: u32 = 21;

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Error::Nested(_) => Error::serialize(self, serializer),
            _ => serializer.serialize_newtype_struct(UNNESTED, &Plain(self)),
        }
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Error, D::Error> {
        Error::deserialize(deserializer)
    }
}

struct Plain<'e>(&'e Error);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Error::serialize(self.0, serializer)
    }
}

#[allow(clippy::borrowed_box, reason = "serde hands the field as it is")]
fn plain<S: Serializer>(error: &Box<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    Error::serialize(error, serializer)
}
