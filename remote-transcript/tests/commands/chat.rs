//! Tests of `chat`: joining, sending, listing the members, and each kind of leaving.

use rustix::process::Signal;

use crate::network::{BACK, LOST, Network};
use crate::process::{Process, Server, run, run_with_input};

#[test]
fn all_members_get_a_text_with_time_and_name() {
    let server = Server::start();
    let (mut ada, mut ben) = (server.member("ada"), server.member("ben"));
    ada.output.line_with("* ben joined");
    ada.type_line("hello, ben");
    ben.type_line("hello, ada");
    for member in [&mut ada, &mut ben] {
        let mut received = [member.output.line_with("hello"), member.output.line_with("hello")];
        received.sort_unstable_by_key(|line| line[8..].to_owned());
        assert_eq!(
            [&received[0][8..], &received[1][8..]],
            [" ada: hello, ben", " ben: hello, ada"]
        );
    }
}

#[test]
fn the_who_command_lists_the_members() {
    let server = Server::start();
    let mut ben = server.member("ben");
    let mut ada = server.member("ada");
    assert_eq!(who(&mut ben), "... here: ada, ben");
    ada.type_line("/leave");
    assert_eq!(ada.end().code, Some(0));
    ben.output.line_with("* ada left");
    assert_eq!(who(&mut ben), "... here: ben");
}

#[test]
fn a_killed_member_is_away_and_removed_when_its_lease_expires() {
    let server = Server::with_lease("4");
    let (mut ada, ben) = (server.member("ada"), server.member("ben"));
    ben.signal(Signal::KILL);
    drop(ben);
    ada.output.line_with("* ben is away");
    assert_eq!(who(&mut ada), "... here: ada, ben (away)");
    ada.output.line_with("* ben is gone");
    assert_eq!(who(&mut ada), "... here: ada");
    let _ben = server.member("ben");
    assert_eq!(who(&mut ada), "... here: ada, ben");
}

#[test]
fn a_member_that_reconnects_has_missed_nothing() {
    let server = Server::start();
    let network = Network::before(&server.uri);
    let (mut ada, mut ben) = (server.member("ada"), network.member("ben"));
    network.cut();
    assert_eq!(ben.notes.line(), LOST);
    ada.output.line_with("* ben is away");
    assert_eq!(who(&mut ada), "... here: ada, ben (away)");
    ben.type_line("sent while disconnected");
    ada.type_line("sent while ben is away");
    network.restore();
    assert_eq!(ben.notes.line(), BACK);
    ada.output.line_with("* ben is back");
    assert_eq!(who(&mut ada), "... here: ada, ben");
    let mut received = Vec::new();
    while received.len() < 2 {
        let line = ben.output.line();
        assert!(!line.contains("* ben is"), "the client prints a note instead: {line}");
        received.extend(line.contains(": sent while").then(|| line[8..].to_owned()));
    }
    received.sort_unstable();
    assert_eq!(received, [" ada: sent while ben is away", " ben: sent while disconnected"]);
    ben.type_line("/leave");
    let end = ben.end();
    assert_eq!((end.code, end.notes), (Some(0), vec![]), "each note is printed once");
    ada.output.line_with("* ben left");
}

#[test]
fn names_in_use_and_invalid_names_are_refused() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let chat = |name| run(&["chat", "--to", &server.chat_uri(), "--name", name]);
    let end = chat("ada");
    assert_eq!(end.code, Some(7));
    assert!(end.notes.len() == 1 && end.notes[0].contains("has the name `ada`"), "{:?}", end.notes);
    assert_eq!(who(&mut ada), "... here: ada");
    for name in ["", "two words", "line\nend", "a-name-that-is-far-too-long-for-anybody"] {
        assert_eq!(chat(name).code, Some(2), "{name:?}");
    }
}

#[test]
fn a_pipe_is_sent_to_its_end_before_leaving() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let input: String = (0..500).map(|number| format!("line {number}\n")).collect();
    let end =
        run_with_input(&["chat", "--to", &server.chat_uri(), "--name", "build"], input.as_bytes());
    assert_eq!((end.code, &end.notes[..]), (Some(0), &[][..]));
    let own = end.output.iter().filter(|line| line.contains(" build: line ")).count();
    assert_eq!(own, 500, "it gets all of its own texts before it leaves: {:?}", end.output.last());
    assert!(end.output.last().unwrap().contains("* build left"));
    for number in 0..500 {
        let line = ada.output.line_with("build: line ");
        assert!(line.ends_with(&format!(" build: line {number}")), "{line}");
    }
    ada.output.line_with("* build left");
}

#[test]
fn one_slash_is_a_command_and_two_are_a_text() {
    let server = Server::start();
    let mut ada = server.member("ada");
    ada.type_line("/help");
    assert!(ada.output.line_with("/who").contains("/leave"));
    ada.type_line("/dance");
    ada.output.line_with("no command /dance");
    ada.type_line("//who");
    ada.output.line_with("ada: /who");
}

#[test]
fn an_interrupted_member_leaves() {
    let server = Server::start();
    let (mut ada, ben) = (server.member("ada"), server.member("ben"));
    ben.signal(Signal::INT);
    assert_eq!(ben.end().code, Some(0));
    assert!(ada.output.line_with("* ben").ends_with("joined"));
    let next = ada.output.line_with("* ben");
    assert!(next.ends_with("left"), "not away: {next}");
}

#[test]
fn a_disconnected_member_can_exit() {
    let server = Server::start();
    let network = Network::before(&server.uri);
    let mut ada = network.member("ada");
    let input = ada.take_input(); // still open
    network.cut();
    assert_eq!(ada.notes.line(), LOST);
    ada.signal(Signal::INT);
    let end = ada.end();
    assert_eq!((end.code, end.notes), (Some(0), vec![]));
    drop(input);
}

#[test]
fn a_killed_server_is_an_error_when_the_lease_expires() {
    let server = Server::with_lease("4");
    let mut ada = server.member("ada");
    let input = ada.take_input(); // still open
    server.process.signal(Signal::KILL);
    let end = ada.end();
    assert_eq!(end.code, Some(8));
    assert_eq!(end.notes.len(), 2, "{:?}", end.notes);
    assert_eq!(end.notes[0], LOST);
    assert!(end.notes[1].contains("the connection was not restored"), "{:?}", end.notes);
    drop(input);
}

/// Returns the output of `/who`.
fn who(member: &mut Process) -> String {
    member.type_line("/who");
    member.output.line_with("... here: ")
}
