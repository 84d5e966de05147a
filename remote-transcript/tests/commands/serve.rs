//! Tests of `serve`: its first line, the lines that it prints, and its shutdown.

use rustix::process::Signal;

use crate::network::{LOST, Network};
use crate::process::{Process, Server, run};

#[test]
fn the_first_line_is_the_address_with_the_actual_port() {
    let server = Server::start();
    let port = server
        .uri
        .strip_prefix("tcp://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix("/transcript"));
    assert!(
        port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port != 0)),
        "{}",
        server.uri
    );
}

#[test]
fn lines_are_printed_with_time_and_sender() {
    let mut server = Server::start();
    assert_eq!(
        run(&["show", "--to", &server.uri, "--name", "ada", "hello", "world"]).code,
        Some(0)
    );
    let line = server.process.output.line();
    let (time, rest) = line.split_at(8);
    assert_eq!(rest, " ada: hello world");
    assert!(time.bytes().enumerate().all(|(at, byte)| if at % 3 == 2 {
        byte == b':'
    } else {
        byte.is_ascii_digit()
    }));
}

#[test]
fn the_name_in_an_address_is_optional() {
    let mut server = Server::start();
    let address = server.uri.strip_suffix("/transcript").unwrap();
    assert_eq!(run(&["show", "--to", address, "hello"]).code, Some(0));
    assert!(server.process.output.line().ends_with(" tester: hello"));
}

#[test]
fn a_unix_socket_can_be_the_address() {
    let path =
        std::env::temp_dir().join(format!("remote-transcript-{}.socket", std::process::id()));
    let mut server = Server::listening(&format!("unix://{}", path.display()));
    for uri in [&server.uri, server.uri.strip_suffix("/transcript").unwrap()] {
        assert_eq!(run(&["show", "--to", uri, "hello"]).code, Some(0));
        assert!(server.process.output.line().ends_with(": hello"));
    }
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.end().code, Some(0));
    assert!(!path.exists(), "the socket is removed with the server");
}

#[test]
fn after_a_signal_all_clients_get_all_lines() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = Server::start();
        let watcher = server.watcher(&["--plain"]);
        let member = server.member("ada");
        let lines: Vec<String> = (0..5_000).map(|number| format!("line {number}")).collect();
        assert_eq!(run(&["show", "--to", &server.uri, &lines.join("\n")]).code, Some(0));
        server.process.signal(signal);
        let end = server.process.end();
        assert_eq!(
            (end.code, end.output.len(), &end.notes[..]),
            (Some(0), 5_000, &[][..]),
            "{signal:?}"
        );
        let end = watcher.end();
        assert_eq!((end.code, end.output), (Some(0), lines), "{:?}", end.notes);
        let end = member.end();
        assert_eq!(end.code, Some(0), "{end:?}");
    }
}

#[test]
fn it_shuts_down_although_a_member_is_away() {
    let server = Server::start();
    let network = Network::before(&server.uri);
    let (mut ada, mut ben) = (server.member("ada"), network.member("ben"));
    network.cut();
    ada.output.line_with("* ben is away");
    server.process.signal(Signal::TERM);
    let end = server.process.end();
    assert_eq!((end.code, end.notes), (Some(0), vec![]));
    assert_eq!(ada.end().code, Some(0));
    assert_eq!(ben.notes.line(), LOST);
}

#[test]
fn with_until_eof_it_shuts_down_with_its_input() {
    let mut server = Process::start(&["serve", "--listen", "tcp://127.0.0.1:0", "--until-eof"]);
    server.output.line_with("listening on");
    let end = server.end();
    assert_eq!((end.code, end.notes), (Some(0), vec![]));
}

#[test]
fn it_keeps_running_when_its_output_is_closed() {
    let mut process = Process::start_unread(&["serve", "--listen", "tcp://127.0.0.1:0"]);
    let uri = process.output.line().replace("listening on ", "");
    process.output.close();
    let mut watcher = Process::start(&["watch", "--plain", "--to", &uri]);
    watcher.notes.line_with("watching");
    for number in 0..3 {
        let text = format!("line {number}");
        assert_eq!(run(&["show", "--to", &uri, &text]).code, Some(0));
        assert_eq!(watcher.output.line(), text);
    }
    process.signal(Signal::TERM);
    let end = process.end();
    assert_eq!((end.code, end.notes), (Some(0), vec![]));
}
