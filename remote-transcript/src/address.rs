//! Owns what an address means when part of it is left out. What an address may be is the library's to say.

/// Where a server listens, and is looked for, if nobody says otherwise.
pub(crate) const DEFAULT: &str = "tcp://127.0.0.1:4096";

/// The address with `name` as the name of the object, if it says none.
pub(crate) fn named(uri: &str, name: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let place = rest.trim_end_matches('/');
    let names_an_object = match scheme {
        // A path has slashes of its own: only the file system can tell a socket from a name that follows one.
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
    fn a_name_is_added_where_there_is_none() {
        assert_eq!(named("tcp://127.0.0.1:4096", "chat"), "tcp://127.0.0.1:4096/chat");
        assert_eq!(named("tcp://127.0.0.1:4096/", "chat"), "tcp://127.0.0.1:4096/chat");
        assert_eq!(named("tcp://[::1]:1", "chat"), "tcp://[::1]:1/chat");
    }

    #[test]
    fn a_name_given_stays_and_so_does_what_is_no_address() {
        for uri in
            ["tcp://127.0.0.1:4096/other", "unix:///run/a.socket/other", "nonsense", "tcp://", ""]
        {
            assert_eq!(named(uri, "chat"), uri);
        }
    }
}
