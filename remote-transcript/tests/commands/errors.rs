//! Tests of errors in addresses and command lines: each is one line on standard error and has its exit code.

use std::net::TcpListener;

use crate::process::{End, Server, run};

/// The commands that look up an object at an address.
const CLIENTS: [&[&str]; 3] = [&["show", "hello"], &["watch"], &["chat", "--name", "ada"]];

#[test]
fn nobody_listens_there() {
    // A port that was bound and closed may still be held by the child process of another test, until that is executed.
    for client in CLIENTS {
        let end = run(&[client, &["--to", "tcp://127.0.0.1:1"]].concat());
        one_line(&end, 3, "127.0.0.1:1");
    }
    let end = run(&["watch", "--to", "unix:///nowhere/at/all"]);
    one_line(&end, 3, "/nowhere");
}

#[test]
fn no_such_name() {
    let server = Server::start();
    let uri = server.uri.replace("/transcript", "/typewriter");
    for client in CLIENTS {
        let end = run(&[client, &["--to", &uri]].concat());
        one_line(&end, 4, "typewriter");
    }
}

#[test]
fn wrong_interface() {
    let server = Server::start();
    for (client, uri, wanted) in [
        (CLIENTS[0], server.chat_uri(), "Transcript"),
        (CLIENTS[1], server.chat_uri(), "Transcript"),
        (CLIENTS[2], server.uri.clone(), "Room"),
    ] {
        let end = run(&[client, &["--to", &uri]].concat());
        one_line(&end, 5, wanted);
    }
}

#[test]
fn an_invalid_address() {
    for uri in ["nonsense", "", "carrier-pigeon://127.0.0.1:1", "tcp://127.0.0.1:70000", "tcp://"] {
        for client in CLIENTS {
            let end = run(&[client, &["--to", uri]].concat());
            one_line(&end, 2, uri);
        }
        let end = run(&["serve", "--listen", uri]);
        one_line(&end, 2, uri);
    }
}

#[test]
fn the_port_is_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let end = run(&["serve", "--listen", &format!("tcp://127.0.0.1:{port}")]);
    one_line(&end, 6, &port.to_string());
}

#[test]
fn a_server_beyond_this_machine_is_refused() {
    let end = run(&["serve", "--listen", "tcp://0.0.0.0:0"]);
    one_line(&end, 2, "0.0.0.0");
}

#[test]
fn an_invalid_command_line() {
    for arguments in [
        &[][..],
        &["dance"],
        &["show", "--loudly"],
        &["show", "--continue", "text"],
        &["chat"],
        &["watch", "--lease", "soon"],
        &["serve", "--lease", "0"],
        &["demo", "--cut", "--lines", "7"],
    ] {
        assert_eq!(run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn help_has_examples_and_exit_codes_for_every_command() {
    for command in ["serve", "show", "watch", "chat", "demo"] {
        let end = run(&[command, "--help"]);
        assert_eq!(end.code, Some(0));
        let help = end.output.join("\n");
        assert!(help.contains(&format!("  remote-transcript {command}")), "{help}");
        assert!(help.contains("\n  3  nobody listens at the address"), "{help}");
    }
}

/// Asserts one line on standard error that contains `names`, the exit code, and no output.
fn one_line(end: &End, code: i32, names: &str) {
    assert_eq!((end.code, &end.output[..]), (Some(code), &[][..]), "{end:?}");
    assert_eq!(end.notes.len(), 1, "{end:?}");
    assert!(
        end.notes[0].starts_with("remote-transcript: ") && end.notes[0].contains(names),
        "{end:?}"
    );
}
