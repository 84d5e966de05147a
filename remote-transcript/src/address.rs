//! Defaults for the parts of an address that the user leaves out. It must not know the syntax of addresses: the library
//! checks it.

/// The default address of servers.
pub(crate) const DEFAULT: &str = "tcp://127.0.0.1:4096";

/// Returns the address with `name` as the name of the object, if it has no name.
pub(crate) fn named(uri: &str, name: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let place = rest.trim_end_matches('/');
    let names_an_object = match scheme {
        // A path contains slashes: only the file system can tell if the last part is a socket or the name of an object.
        "unix" => !is_socket(place),
        _ => place.contains('/'),
    };
    if names_an_object || place.is_empty() {
        uri.to_owned()
    } else {
        format!("{scheme}://{place}/{name}")
    }
}

#[cfg(unix)]
fn is_socket(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

#[cfg(not(unix))]
fn is_socket(_path: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_is_added() {
        assert_eq!(named("tcp://127.0.0.1:4096", "chat"), "tcp://127.0.0.1:4096/chat");
        assert_eq!(named("tcp://127.0.0.1:4096/", "chat"), "tcp://127.0.0.1:4096/chat");
        assert_eq!(named("tcp://[::1]:1", "chat"), "tcp://[::1]:1/chat");
    }

    #[test]
    fn addresses_with_a_name_and_invalid_ones_are_unchanged() {
        for uri in
            ["tcp://127.0.0.1:4096/other", "unix:///run/a.socket/other", "nonsense", "tcp://", ""]
        {
            assert_eq!(named(uri, "chat"), uri);
        }
    }
}
