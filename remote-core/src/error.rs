//! The errors of failed calls: one enum, each variant of which states what is known about *this* call.
//!
//! It must not know how calls are sent. A violation of the protocol by a peer is a
//! [`Breach`](crate::wire::breach::Breach).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The result of a call, unless the interface names an error type of its own.
///
/// ```
/// fn answer() -> remote_core::Result<u64> {
///     Ok(42)
/// }
/// # assert_eq!(answer(), Ok(42));
/// ```
pub type Result<V, E = Error> = std::result::Result<V, E>;

/// The outcome of a failed call: if it was executed, as far as is known.
///
/// ```
/// use remote_core::{Error, Outcome};
/// assert_eq!(Error::Timeout.outcome(), Outcome::Unknown);
/// assert_eq!(Error::Panicked("index out of bounds".into()).outcome(), Outcome::Failed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The method was not executed: it is safe to call again.
    NotExecuted,
    /// The method was executed and failed.
    Failed,
    /// The method may have been executed, completely, in part, or not at all.
    Unknown,
}

/// The reason for which a call failed.
///
/// The text of each kind says what was wrong and, if possible, what to do. [`Error::outcome`] returns what is known about the
/// call that returned the error. If a method returns an `Error`, also inside an error type of the user, that error belongs to
/// another call, and arrives at the caller as [`Error::Nested`]. The chapter [errors](crate::guide::errors) has a table of all
/// kinds with what to do.
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
    /// The node was not reached: no process listens at the address, or the handshake failed.
    NotConnected {
        /// The address of the node.
        address: String,
        /// The cause.
        reason: String,
    },
    /// The text is not an address, or not an address for this purpose.
    InvalidUri {
        /// The text.
        uri: String,
        /// The reason.
        reason: String,
    },
    /// No object is published under the name.
    NameNotFound {
        /// The name that was looked up.
        name: String,
    },
    /// An object is published under the name already.
    NameInUse {
        /// The name.
        name: String,
    },
    /// The reference designates an object that the session does not export, or has released.
    NoSuchObject,
    /// The node of the reference was restarted. Look the object up again.
    Stale,
    /// The lease expired before a connection came back. Look the object up again.
    LeaseExpired,
    /// The session with the other node ended while the call was in progress, or before it.
    SessionLost {
        /// The reason for which it ended.
        reason: String,
        /// The outcome of the call.
        outcome: Outcome,
    },
    /// The object was stopped, or its node is shutting down; with the reason.
    Ended(String),
    /// The class of the object does not have the method.
    MessageNotUnderstood {
        /// The class of the object.
        class: String,
        /// Interface and method, as `Greeter.greet`.
        selector: String,
    },
    /// The class has the method with other parameters or another result: the two sides were built differently.
    SignatureMismatch {
        /// The class of the object.
        class: String,
        /// Interface and method, as `Greeter.greet`.
        selector: String,
    },
    /// The object does not implement the interface.
    WrongInterface {
        /// The class or the interface of the object.
        found: String,
        /// The requested interface.
        wanted: String,
    },
    /// A polymorphic value has a tag that no linked class of the receiver has; with the tag.
    UnknownClass(String),
    /// Two classes of the program have one name.
    DuplicateClass {
        /// The name.
        name: String,
        /// The paths of both types.
        paths: (String, String),
    },
    /// An argument or a result could not be encoded.
    Encode(String),
    /// An argument or a result could not be decoded.
    Decode(String),
    /// A body is larger than the receiver accepts.
    TooLarge {
        /// Its size in bytes. Encoding stops at the limit, so this may be one byte more than the limit.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A limit was reached; the text names the field of [`Limits`](crate::Limits).
    Quota(String),
    /// The deadline of the call passed before its reply arrived.
    Timeout,
    /// The execution of the call was cancelled.
    Cancelled,
    /// The method panicked, with this message. The object and its node are not affected.
    Panicked(String),
    /// The method returned this error, so the call was executed. The outcome of the inner error is that of another call.
    #[serde(serialize_with = "plain")]
    Nested(Box<Error>),
    /// The message was sent to a promise whose call failed with this error.
    #[serde(serialize_with = "plain")]
    Broken(Box<Error>),
    /// The peer violated the protocol, and the session ended.
    Protocol(String),
    /// An operation of the operating system failed.
    Io(String),
    /// The operation is not permitted; the text says what to do instead.
    Refused(String),
    /// [`Call::wait`](crate::Call::wait) was used inside a runtime.
    InsideRuntime,
    /// The method deferred its reply, and the [`Reply`](crate::Reply) was dropped.
    Unanswered,
}

impl Error {
    /// Returns what is known about the call that failed with this error.
    ///
    /// For an error inside another one, this is the outcome of the inner call. Use the outermost error.
    ///
    /// ```
    /// use remote_core::{Error, Outcome};
    /// let lost = Error::SessionLost { reason: "shut down".into(), outcome: Outcome::NotExecuted };
    /// assert_eq!(lost.outcome(), Outcome::NotExecuted);
    /// // A method made a call that failed so. The method itself was executed.
    /// assert_eq!(Error::Nested(Box::new(lost)).outcome(), Outcome::Failed);
    /// ```
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

    /// Returns the innermost error, without [`Error::Nested`] and [`Error::Broken`] around it.
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

    /// Returns the error of a call that was pipelined on a promise that failed with this error.
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
                write!(f, "the reference designates no object that the session exports")
            }
            Error::Stale => {
                write!(f, "the node of the reference was restarted; look the object up again")
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
                write!(f, "the object deferred the reply and dropped it")
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

/// The newtype name under which an error is serialized that is not yet nested. The encoder of a method's error recognises the
/// name and wraps the error in [`Error::Nested`] (see `wire::bounded_writer`).
pub(crate) const UNNESTED: &str = "remote_core::Error";
/// The index of `Nested` among the variants, as serde counts them.
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
