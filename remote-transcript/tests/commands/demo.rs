//! `demo`: its counts, and that it leaves no process behind however it ends.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{Process, run};

#[test]
fn it_counts_every_line_everywhere() {
    let begun = Instant::now();
    let end = run(&["demo", "--lines", "700"]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
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
fn it_counts_the_same_when_the_network_is_cut_and_a_writer_is_killed() {
    let begun = Instant::now();
    let end = run(&["demo", "--cut", "--lines", "3000"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!((end.code, &end.notes[..]), (Some(0), &[][..]), "{:?}", end.output);
    let mut told = end.output.iter();
    for event in [
        "the network is cut",
        "the watcher: connection lost",
        "ada: connection lost",
        "ben: connection lost",
        "the network is healed",
        "the watcher: connected again",
        "ada: connected again",
        "ben: connected again",
        "ben is killed",
        "lines have arrived before; going on after them",
        "every line arrived everywhere exactly once and in order",
    ] {
        assert!(told.any(|line| line.contains(event)), "{event}: {:?}", end.output);
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
fn killed_in_the_middle_it_leaves_no_process_behind() {
    let mut demo = Process::start_unread(&["demo", "--lines", "1000000"]);
    let listening = demo.output.line_with("listening on ");
    let uri = listening.split_once("listening on ").unwrap().1;
    let mut outsider = Process::start(&["watch", "--plain", "--to", uri]);
    outsider.notes.line_with("watching");
    outsider.output.line_with("line ");
    demo.signal(Signal::KILL);
    drop(demo);
    // The server ends in peace, as it does only because its input has ended; the others end with it.
    assert_eq!(outsider.end().code, Some(0));
}
