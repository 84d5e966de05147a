//! Tests of `watch`: the lines that it prints, and its end: after a shutdown, after a crash, when its output is closed.

use rustix::process::Signal;

use crate::process::{Server, run, run_with_input};

#[test]
fn it_prints_time_sender_and_text_of_new_lines() {
    let server = Server::start();
    assert_eq!(run(&["show", "--to", &server.uri, "before"]).code, Some(0));
    let mut watcher = server.watcher(&[]);
    assert_eq!(run(&["show", "--to", &server.uri, "--name", "ada", "after"]).code, Some(0));
    let line = watcher.output.line();
    assert_eq!(&line[8..], " ada: after", "without colours in a pipe");
}

#[test]
fn with_last_it_begins_with_the_last_lines() {
    let server = Server::start();
    run_with_input(&["show", "--to", &server.uri], b"one\ntwo\nthree\n");
    let mut watcher = server.watcher(&["--plain", "--last", "2"]);
    run(&["show", "--to", &server.uri, "four"]);
    let shown: Vec<String> = (0..3).map(|_| watcher.output.line()).collect();
    assert_eq!(shown, ["two", "three", "four"]);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let server = Server::start();
    let mut watcher = server.watcher_unread(&["--plain"]);
    watcher.output.close();
    run(&["show", "--to", &server.uri, "nobody reads this"]);
    let end = watcher.end();
    assert_eq!((end.code, end.notes), (Some(0), vec![]));
    assert_eq!(run(&["show", "--to", &server.uri, "the server goes on"]).code, Some(0));
}

#[test]
fn a_killed_server_is_an_error_when_the_lease_expires() {
    let server = Server::start();
    let watcher = server.watcher(&["--lease", "4"]);
    server.process.signal(Signal::KILL);
    let end = watcher.end();
    assert_eq!(end.code, Some(8));
    assert_eq!(
        end.notes,
        [
            "remote-transcript: connection lost; trying again ...",
            "remote-transcript: the server is gone: \
             the connection was not restored before the lease expired"
        ]
    );
}

#[test]
fn an_interrupt_is_not_an_error() {
    let server = Server::start();
    let mut watcher = server.watcher(&["--plain"]);
    assert_eq!(run(&["show", "--to", &server.uri, "hello"]).code, Some(0));
    assert_eq!(watcher.output.line(), "hello");
    watcher.signal(Signal::INT);
    let end = watcher.end();
    assert_eq!((end.code, end.output, end.notes), (Some(0), vec![], vec![]));
}

#[test]
fn a_killed_watcher_does_not_affect_others() {
    let server = Server::start();
    let (killed, mut watcher) = (server.watcher(&[]), server.watcher(&["--plain"]));
    killed.signal(Signal::KILL);
    drop(killed);
    run(&["show", "--to", &server.uri, "still here"]);
    assert_eq!(watcher.output.line(), "still here");
}

#[test]
fn a_stuck_watcher_delays_writers_once_and_reports_lost_lines() {
    let server = Server::start();
    let mut stuck = server.watcher_unread(&["--plain"]);
    let watcher = server.watcher(&["--plain"]);
    // Far more than the capacity of the log: the server must not wait for ever, nor grow.
    let lines: String = (0..120_000).map(|number| format!("{number:0>200}\n")).collect();
    assert_eq!(run_with_input(&["show", "--to", &server.uri], lines.as_bytes()).code, Some(0));

    stuck.output.read_on();
    let last = format!("{:0>200}", 119_999);
    let mut shown = 1;
    while stuck.output.line() != last {
        shown += 1;
    }
    server.process.signal(Signal::TERM);
    let end = watcher.end();
    assert_eq!(
        (end.code, end.output.len()),
        (Some(0), 120_000),
        "a watcher that reads loses nothing: {:?}",
        end.notes
    );
    let end = stuck.end();
    assert_eq!(end.code, Some(1), "{:?}", end.notes);
    let missed = format!("{} lines were missed", 120_000 - shown);
    assert!(
        shown < 120_000 && end.notes.iter().any(|note| note.contains(&missed)),
        "{missed}: {:?}",
        end.notes
    );
}
