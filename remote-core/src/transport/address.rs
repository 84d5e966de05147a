//! Owns how addresses are read: `scheme://place` for a node, `scheme://place/name` for an object published there.
//!
//! It must not know what a place is; that is for the transport of the scheme.

use super::connection::{Registered, Transport, find};
use super::uri::{Uri, check_name, invalid};
use crate::error::Result;

impl Uri {
    /// The address of a node.
    pub(crate) fn of_node(text: &str) -> Result<Uri> {
        let (transport, rest) = scheme(text)?;
        // A place may look like a place and a name, as paths do: what is asked for decides.
        let (place, name) = transport.part(rest);
        let whole = transport.part(&format!("{rest}/x")).0 == rest;
        let (place, name) = if whole { (rest, "") } else { (place, name) };
        if !name.is_empty() {
            return Err(invalid(
                text,
                &format!(
                    "it names an object; the node alone is `{}://{place}`",
                    transport.scheme()
                ),
            ));
        }
        build(text, transport, place, "")
    }

    /// The address of a published object.
    pub(crate) fn of_object(text: &str) -> Result<Uri> {
        let (transport, rest) = scheme(text)?;
        let (place, name) = transport.part(rest);
        if name.is_empty() {
            return Err(invalid(text, "it names no object; add `/name`"));
        }
        check_name(name).map_err(|error| invalid(text, &error.to_string()))?;
        build(text, transport, place, name)
    }

    /// Whether the place is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.transport().is_ok_and(|transport| transport.is_local(&self.place))
    }

    pub(crate) fn transport(&self) -> Result<&'static dyn Transport> {
        find(self.scheme).ok_or_else(|| invalid(&self.node(), "its scheme is unknown"))
    }
}

fn scheme(text: &str) -> Result<(&'static dyn Transport, &str)> {
    let schemes = || {
        let known: Vec<_> =
            inventory::iter::<Registered>.into_iter().map(|known| known.0.scheme()).collect();
        known.join("://, ") + "://"
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(invalid(text, &format!("it must begin with one of {}", schemes())));
    };
    let transport = find(scheme)
        .ok_or_else(|| invalid(text, &format!("`{scheme}` is none of {}", schemes())))?;
    Ok((transport, rest))
}

fn build(text: &str, transport: &'static dyn Transport, place: &str, name: &str) -> Result<Uri> {
    if place.is_empty() {
        return Err(invalid(text, "it names no place"));
    }
    Ok(Uri { scheme: transport.scheme(), place: place.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> (String, String) {
        let uri = Uri::of_object(text).unwrap();
        (uri.node(), uri.name)
    }

    #[test]
    fn objects_have_a_place_and_a_name() {
        assert_eq!(object("tcp://127.0.0.1:80/log"), ("tcp://127.0.0.1:80".into(), "log".into()));
        assert_eq!(object("tcp://[::1]:80/log"), ("tcp://[::1]:80".into(), "log".into()));
        assert_eq!(object("memory://here/log"), ("memory://here".into(), "log".into()));
        #[cfg(unix)]
        assert_eq!(object("unix:///run/a.sock/log"), ("unix:///run/a.sock".into(), "log".into()));
    }

    #[test]
    fn nodes_have_a_place_alone() {
        assert_eq!(Uri::of_node("tcp://127.0.0.1:0").unwrap().place, "127.0.0.1:0");
        #[cfg(unix)]
        assert_eq!(Uri::of_node("unix:///run/a.sock").unwrap().place, "/run/a.sock");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let reason = |result: Result<Uri>| result.unwrap_err().to_string();
        assert!(reason(Uri::of_object("127.0.0.1:80/log")).contains("tcp://"));
        assert!(reason(Uri::of_object("http://127.0.0.1:80/log")).contains("`http`"));
        assert!(reason(Uri::of_object("tcp://127.0.0.1:80")).contains("/name"));
        assert!(reason(Uri::of_node("tcp://127.0.0.1:80/log")).contains("tcp://127.0.0.1:80"));
        assert!(reason(Uri::of_node("tcp://")).contains("no place"));
    }
}
