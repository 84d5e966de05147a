//! Parses addresses: `scheme://place` for a node, `scheme://place/name` for an object that is published there.
//!
//! It must not know what a place is; the scheme does.

use super::connection::{Registered, Scheme, Transport, find};
use super::uri::{Uri, check_name, invalid};
use crate::error::Result;

impl Uri {
    /// Parses the address of a node.
    pub(crate) fn of_node(text: &str) -> Result<Uri> {
        let (scheme, rest) = scheme(text)?;
        // A path can be read as a place, or as a place and a name. Here a place is wanted.
        let (place, name) = scheme.part(rest);
        let whole = scheme.part(&format!("{rest}/x")).0 == rest;
        let (place, name) = if whole { (rest, "") } else { (place, name) };
        if !name.is_empty() {
            return Err(invalid(
                text,
                &format!("it names an object; the node alone is `{}://{place}`", scheme.name()),
            ));
        }
        build(text, scheme, place, "")
    }

    /// Parses the address of a published object.
    pub(crate) fn of_object(text: &str) -> Result<Uri> {
        let (scheme, rest) = scheme(text)?;
        let (place, name) = scheme.part(rest);
        if name.is_empty() {
            return Err(invalid(text, "it names no object; add `/name`"));
        }
        check_name(name).map_err(|error| invalid(text, &error.to_string()))?;
        build(text, scheme, place, name)
    }

    /// Returns true if the place is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        find(self.scheme).is_some_and(|known| known.scheme().is_local(&self.place))
    }

    /// Returns true if messages to the place are datagrams, for which no connection is made.
    pub(crate) fn is_for_datagrams(&self) -> bool {
        matches!(find(self.scheme), Some(Registered::Datagrams(_)))
    }

    /// Returns the transport that connects to the place.
    pub(crate) fn transport(&self) -> Result<&'static dyn Transport> {
        match find(self.scheme) {
            Some(Registered::Connections(transport)) => Ok(*transport),
            Some(Registered::Datagrams(_)) => Err(invalid(
                &self.node(),
                "it takes one-way messages to published names only; this needs a connection, for example over tcp://",
            )),
            None => Err(invalid(&self.node(), "its scheme is unknown")),
        }
    }
}

fn scheme(text: &str) -> Result<(&'static dyn Scheme, &str)> {
    let schemes = || {
        let known: Vec<_> =
            inventory::iter::<Registered>.into_iter().map(Registered::scheme).collect();
        let known: Vec<_> =
            known.into_iter().filter(|known| known.can_be_reached()).map(Scheme::name).collect();
        known.join("://, ") + "://"
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(invalid(text, &format!("it must begin with one of {}", schemes())));
    };
    let known = find(scheme)
        .ok_or_else(|| invalid(text, &format!("`{scheme}` is none of {}", schemes())))?;
    Ok((known.scheme(), rest))
}

fn build(text: &str, scheme: &'static dyn Scheme, place: &str, name: &str) -> Result<Uri> {
    if place.is_empty() {
        return Err(invalid(text, "it names no place"));
    }
    Ok(Uri { scheme: scheme.name(), place: place.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> (String, String) {
        let uri = Uri::of_object(text).unwrap();
        (uri.node(), uri.name)
    }

    #[test]
    fn the_uri_of_an_object_has_a_place_and_a_name() {
        assert_eq!(object("tcp://127.0.0.1:80/log"), ("tcp://127.0.0.1:80".into(), "log".into()));
        assert_eq!(object("tcp://[::1]:80/log"), ("tcp://[::1]:80".into(), "log".into()));
        assert_eq!(object("memory://here/log"), ("memory://here".into(), "log".into()));
        #[cfg(unix)]
        assert_eq!(object("unix:///run/a.sock/log"), ("unix:///run/a.sock".into(), "log".into()));
    }

    #[test]
    fn an_address_for_datagrams_has_no_transport() {
        let uri = Uri::of_object("udp://127.0.0.1:80/log").unwrap();
        assert!(
            uri.is_for_datagrams()
                && !Uri::of_node("tcp://127.0.0.1:80").unwrap().is_for_datagrams()
        );
        assert!(uri.transport().err().unwrap().to_string().contains("tcp://"));
    }

    #[test]
    fn the_uri_of_a_node_has_a_place_only() {
        assert_eq!(Uri::of_node("tcp://127.0.0.1:0").unwrap().place, "127.0.0.1:0");
        #[cfg(unix)]
        assert_eq!(Uri::of_node("unix:///run/a.sock").unwrap().place, "/run/a.sock");
    }

    #[test]
    fn errors_name_the_problem() {
        let reason = |result: Result<Uri>| result.unwrap_err().to_string();
        assert!(reason(Uri::of_object("127.0.0.1:80/log")).contains("tcp://"));
        assert!(reason(Uri::of_object("http://127.0.0.1:80/log")).contains("`http`"));
        assert!(reason(Uri::of_object("tcp://127.0.0.1:80")).contains("/name"));
        assert!(reason(Uri::of_node("tcp://127.0.0.1:80/log")).contains("tcp://127.0.0.1:80"));
        assert!(reason(Uri::of_node("tcp://")).contains("no place"));
        assert!(reason(Uri::of_object("udp://127.0.0.1:80")).contains("/name"));
    }
}
