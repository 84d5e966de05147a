//! The built-in messages, which every object understands, whatever its class.
//!
//! They are ordinary messages: they keep their order with other messages, and are forwarded like others.

use super::class::ClassInfo;
use super::message::{Payload, Reply};
use crate::session::header::Selector;
use crate::wire::method::{Method, Type};

/// The message that requests the class and the interfaces of an object. The reply contains the name of the class, followed by
/// those of the interfaces.
pub(crate) static INTERFACES: Method = Method::new(
    "Object",
    "interfaces",
    &[],
    Type { text: "Vec<String>", shape: |shape| shape.of::<Vec<String>>() },
    Type { text: "Error", shape: |shape| shape.of::<()>() },
);

/// The message that is answered when all messages sent before it have started. When a promise resolves to an object with a
/// shorter path, new messages wait for this answer (the embargo of Cap'n Proto, Varda 2013, after Miller's E).
pub(crate) static SETTLE: Method = Method::new(
    "Object",
    "settle",
    &[],
    Type { text: "()", shape: |shape| shape.of::<()>() },
    Type { text: "Error", shape: |shape| shape.of::<()>() },
);

/// Returns the reply to a built-in message, or `None` for any other message.
pub(crate) fn reply(selector: &Selector, class: &ClassInfo) -> Option<Reply> {
    if selector.is(&SETTLE) {
        return Some(Reply::value(|_| Ok(())));
    }
    selector.is(&INTERFACES).then(|| {
        let names: Vec<&str> = std::iter::once(class.name()).chain(class.interfaces()).collect();
        Reply::value(|encoder| encoder.push(&names))
    })
}

/// Decodes the reply to [`INTERFACES`]: the class and the interfaces.
pub(crate) fn read_interfaces(payload: &Payload) -> crate::Result<(String, Vec<String>)> {
    let mut names: Vec<String> = payload.decode(|decoder| decoder.next())?;
    if names.is_empty() {
        return Err(crate::Error::Decode("an object without a class".into()));
    }
    Ok((names.remove(0), names))
}
