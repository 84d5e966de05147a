//! Tests of `demo`: its counts, and that it leaves no process behind.

use std::time::Instant;

use rustix::process::Signal;

use crate::process::{LIMIT, Process, run};

#[test]
fn it_counts_every_line_at_server_and_watcher() {
    let start = Instant::now();
    let end = run(&["demo", "--lines", "700"]);
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    assert_eq!((end.code, &end.notes[..]), (Some(0), &[][..]), "{:?}", end.output);
    for name in ["ada", "ben"] {
        let counts = end
            .output
            .iter()
            .filter(|line| line.split_whitespace().eq([name, "700", "700", "700"]));
        assert_eq!(counts.count(), 1, "{:?}", end.output);
        assert!(
            end.output.iter().any(|line| line.contains(&format!(" {name}: line 1 of 700"))),
            "{:?}",
            end.output
        );
    }
    assert!(
        end.output
            .last()
            .unwrap()
            .starts_with("every line arrived everywhere exactly once and in order")
    );
}

#[test]
fn it_counts_the_same_with_an_outage_and_a_killed_writer() {
    let start = Instant::now();
    let end = run(&["demo", "--cut", "--lines", "3000"]);
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    assert_eq!((end.code, &end.notes[..]), (Some(0), &[][..]), "{:?}", end.output);
    let mut output = end.output.iter();
    for event in [
        "the network is cut",
        "the watcher: connection lost",
        "ada: connection lost",
        "ben: connection lost",
        "the network is restored",
        "the watcher: connected again",
        "ada: connected again",
        "ben: connected again",
        "ben is killed",
        "lines have arrived before; going on after them",
        "every line arrived everywhere exactly once and in order",
    ] {
        assert!(output.any(|line| line.contains(event)), "{event}: {:?}", end.output);
    }
    for name in ["ada", "ben"] {
        let counts = [name, "3000", "3000", "3000"];
        assert!(
            end.output.iter().any(|line| line.split_whitespace().eq(counts)),
            "{:?}",
            end.output
        );
    }
}

#[test]
fn after_a_kill_no_process_is_left() {
    let mut demo = Process::start_unread(&["demo", "--lines", "1000000"]);
    let listening = demo.output.line_with("listening on ");
    let uri = listening.split_once("listening on ").unwrap().1;
    let mut outsider = Process::start(&["watch", "--plain", "--to", uri]);
    outsider.notes.line_with("watching");
    outsider.output.line_with("line ");
    demo.signal(Signal::KILL);
    drop(demo);
    // The server shuts down, which it does only because its input has ended; the others exit with it.
    assert_eq!(outsider.end().code, Some(0));
}
