//! Owns the messages that every object understands, whatever its class.
//!
//! They are ordinary messages, so that they keep their order with others and are forwarded like others.

use super::class::ClassInfo;
use super::message::{Payload, Reply, Selector};
use crate::wire::method::{Method, Type};

/// Which interfaces do you answer to? The first name is the class's.
pub(crate) static INTERFACES: Method = Method::new(
    "Object",
    "interfaces",
    &[],
    Type { text: "Vec<String>", shape: |shape| shape.of::<Vec<String>>() },
    Type { text: "Error", shape: |shape| shape.of::<()>() },
);

/// Answered when all that was sent before has been started: what holds back new messages while a promise resolves to
/// something nearer (the embargo of Cap'n Proto, Varda 2013, after Miller's E).
pub(crate) static SETTLE: Method = Method::new(
    "Object",
    "settle",
    &[],
    Type { text: "()", shape: |shape| shape.of::<()>() },
    Type { text: "Error", shape: |shape| shape.of::<()>() },
);

/// The reply to such a message, if it is one.
pub(crate) fn reply(selector: &Selector, class: &ClassInfo) -> Option<Reply> {
    let fingerprint = selector.fingerprint();
    if fingerprint == SETTLE.fingerprint() {
        return Some(Reply::value(|_| Ok(())));
    }
    (fingerprint == INTERFACES.fingerprint()).then(|| {
        let names: Vec<&str> = std::iter::once(class.name()).chain(class.interfaces()).collect();
        Reply::value(|encoder| encoder.push(&names))
    })
}

/// What the reply to [`INTERFACES`] says: class, interfaces.
pub(crate) fn read_interfaces(payload: &Payload) -> crate::Result<(String, Vec<String>)> {
    let mut names: Vec<String> = payload.decode(|decoder| decoder.next())?;
    if names.is_empty() {
        return Err(crate::Error::Decode("an object without a class".into()));
    }
    Ok((names.remove(0), names))
}
