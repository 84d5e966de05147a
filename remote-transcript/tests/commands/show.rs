//! Tests of `show`: arguments, typed input, large input, and a server that is gone.

use std::io::Write as _;

use rustix::process::Signal;

use crate::network::{BACK, LOST, Network};
use crate::process::{Process, Server, run, run_with_input};

/// The number of lines of a large input: somewhat more than the server keeps. With many more, a slow machine would lose
/// lines, as it should: a reader has ten seconds for each part that the server keeps.
const MANY: u64 = 100_000;

#[test]
fn arguments_are_one_line_unless_they_contain_line_ends() {
    let server = Server::start();
    let mut watcher = server.watcher(&["--plain"]);
    for text in [&["one", "line"][..], &["two\nlines"], &[""], &["--", "--plain"]] {
        assert_eq!(run(&[&["show", "--to", &server.uri], text].concat()).code, Some(0));
    }
    let shown: Vec<String> = (0..5).map(|_| watcher.output.line()).collect();
    assert_eq!(shown, ["one line", "two", "lines", "", "--plain"]);
}

#[test]
fn a_typed_line_is_sent_at_once() {
    let server = Server::start();
    let mut watcher = server.watcher(&["--plain"]);
    let mut writer = Process::start(&["show", "--to", &server.uri]);
    for line in ["first", "", "  third, as it is \t"] {
        writer.type_line(line);
        assert_eq!(watcher.output.line(), line, "before the next line is typed");
    }
    writer.feed(b"the last needs no end");
    let end = writer.end();
    assert_eq!((end.code, end.output, end.notes), (Some(0), vec![], vec![]));
    assert_eq!(watcher.output.line(), "the last needs no end");
}

#[test]
fn large_input_arrives_in_order_and_pipes_have_no_progress_bar() {
    let mut server = Server::start();
    let mut watcher = server.watcher(&["--plain"]);
    let lines: String =
        (0..MANY).map(|number| format!("{number} {:1$}|\n", "", (number % 50) as usize)).collect();
    let mut writer = Process::start(&["show", "--to", &server.uri]);
    let mut input = writer.take_input();
    let sent = lines.clone();
    let feeding = std::thread::spawn(move || input.write_all(sent.as_bytes()));
    let end = writer.end();
    feeding.join().unwrap().unwrap();
    assert_eq!((end.code, end.output, end.notes), (Some(0), vec![], vec![]));

    for line in lines.lines() {
        assert_eq!(watcher.output.line(), line);
        assert!(server.process.output.line().ends_with(line));
    }
    // Not before: a shutdown has a time limit, within which a slow machine may not print the rest.
    server.process.signal(Signal::TERM);
    assert_eq!((server.process.end().output, watcher.end().output), (vec![], vec![]));
}

#[test]
fn lines_of_each_of_two_writers_are_in_order() {
    let server = Server::start();
    let watcher = server.watcher(&[]);
    let names = ["ada", "ben"];
    let write = |name| {
        let mut writer = Process::start(&["show", "--to", &server.uri, "--name", name]);
        for number in 0..2_000 {
            writer.type_line(&number.to_string());
        }
        writer
    };
    let writers = names.map(write);
    for writer in writers {
        assert_eq!(writer.end().code, Some(0));
    }
    server.process.signal(Signal::TERM);
    let shown = watcher.end().output;
    for name in names {
        let of = format!(" {name}: ");
        let numbers: Vec<usize> =
            shown.iter().filter_map(|line| line.split_once(&of)?.1.parse().ok()).collect();
        assert!(numbers.into_iter().eq(0..2_000), "{name}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_noted() {
    let server = Server::start();
    let mut watcher = server.watcher(&["--plain"]);
    let end = run_with_input(&["show", "--to", &server.uri], b"gr\xfc\xdfe\nfine\n");
    assert_eq!(end.code, Some(0));
    assert!(
        end.notes.len() == 1 && end.notes[0].contains("1 lines were not UTF-8"),
        "{:?}",
        end.notes
    );
    assert_eq!(watcher.output.line(), "gr\u{fffd}\u{fffd}e");
    assert_eq!(watcher.output.line(), "fine");
}

#[test]
fn a_line_without_end_is_refused_and_the_lines_before_are_counted() {
    let server = Server::start();
    let mut writer = Process::start(&["show", "--to", &server.uri]);
    let mut input = writer.take_input();
    let feeding = std::thread::spawn(move || {
        let _ = input.write_all(b"fine\n"); // the process exits in the middle
        let _ = input.write_all(&vec![b'x'; 2 << 20]);
    });
    let end = writer.end();
    feeding.join().unwrap();
    assert_eq!(end.code, Some(1));
    assert!(
        end.notes.len() == 1 && end.notes[0].contains("line 2 is longer than"),
        "{:?}",
        end.notes
    );
    assert!(end.notes[0].ends_with("1 lines are known to have arrived"), "{:?}", end.notes);
}

#[test]
fn after_a_server_crash_the_error_has_the_number_of_lines() {
    let mut server = Server::with_lease("4");
    let mut writer = Process::start(&["show", "--to", &server.uri]);
    let mut input = writer.take_input();
    let feeding =
        std::thread::spawn(move || while input.write_all(b"again and again\n").is_ok() {});
    server.process.output.line_with("again");
    server.process.signal(Signal::KILL);
    let end = writer.end();
    feeding.join().unwrap();
    assert_eq!((end.code, &*end.notes[0]), (Some(8), LOST));
    known_to_have_arrived(&end.notes[1..]);
}

#[test]
fn a_server_crash_is_noticed_without_input() {
    let mut server = Server::with_lease("4");
    let mut writer = Process::start(&["show", "--to", &server.uri]);
    for line in ["one", "two"] {
        writer.type_line(line);
        server.process.output.line_with(line);
    }
    server.process.signal(Signal::KILL);
    let input = writer.take_input(); // still open
    let end = writer.end();
    assert_eq!((end.code, &*end.notes[0]), (Some(8), LOST));
    // The reply for the second line may be lost. That for the first is not: the second line is sent after it.
    assert!((1..=2).contains(&known_to_have_arrived(&end.notes[1..])), "{:?}", end.notes);
    drop(input);
}

#[test]
fn a_restarted_server_has_its_own_exit_code() {
    for typed in ["", "typed while disconnected\n"] {
        let server = Server::start();
        let network = Network::before(&server.uri);
        let mut writer = Process::start(&["show", "--to", &network.uri()]);
        writer.type_line("first");
        let Server { process: mut former, .. } = server;
        former.output.line_with("first");
        network.cut();
        former.signal(Signal::KILL);
        assert_eq!(writer.notes.line(), LOST);
        writer.feed(typed.as_bytes());
        let server = Server::start();
        network.route_to(&server.uri);
        network.restore();
        let input = writer.take_input(); // still open
        let end = writer.end();
        assert_eq!((end.code, end.notes.len()), (Some(9), 1), "{:?}", end.notes);
        assert!(end.notes[0].contains("the server is gone: the server was restarted"));
        drop(input);
    }
}

#[test]
fn each_line_arrives_once_although_connections_are_lost() {
    const PART: usize = 50_000;
    let server = Server::start();
    let network = Network::before(&server.uri);
    let mut watcher = server.watcher(&["--plain"]);
    let mut writer = Process::start(&["show", "--to", &network.uri()]);
    let mut seen = 0;
    let mut see = |to| {
        while seen < to {
            assert_eq!(watcher.output.line(), seen.to_string());
            seen += 1;
        }
    };
    for part in 0..4 {
        let lines: String = (0..PART).map(|line| format!("{}\n", part * PART + line)).collect();
        writer.feed(lines.as_bytes());
        see(part * PART + PART / 10); // the others are in transit
        network.cut();
        assert_eq!(writer.notes.line(), LOST);
        network.restore();
        assert_eq!(writer.notes.line(), BACK);
    }
    let end = writer.end();
    assert_eq!((end.code, end.notes), (Some(0), vec![]));
    see(4 * PART);
}

#[test]
fn an_interrupted_writer_reports_how_many_lines_arrived() {
    let mut server = Server::start();
    let mut writer = Process::start(&["show", "--to", &server.uri]);
    writer.type_line("first");
    server.process.output.line_with("first");
    let input = writer.take_input(); // still open
    writer.signal(Signal::INT);
    let end = writer.end();
    assert_eq!(end.code, Some(1));
    assert!(end.notes[0].contains("interrupted; "), "{:?}", end.notes);
    assert!(known_to_have_arrived(&end.notes) <= 1);
    drop(input);
}

#[test]
fn with_continue_a_killed_writer_sends_the_rest() {
    let server = Server::start();
    let mut watcher = server.watcher(&["--plain"]);
    let show = ["show", "--to", &server.uri, "--name", "ada", "--continue"];
    let lines: Vec<String> = (0..100_000).map(|number| format!("line {number}")).collect();
    let mut writer = Process::start(&show);
    let mut input = writer.take_input();
    let sent = lines[..90_000].join("\n");
    let feeding = std::thread::spawn(move || {
        let _ = input.write_all(sent.as_bytes()); // the process is killed in the middle
        input
    });
    let seen: Vec<String> = (0..40_000).map(|_| watcher.output.line()).collect();
    writer.signal(Signal::KILL);
    drop(writer);
    drop(feeding.join().unwrap());

    let end = run_with_input(&show, lines.join("\n").as_bytes());
    assert_eq!((end.code, end.notes.len()), (Some(0), 1), "{:?}", end.notes);
    let before = end.notes[0].strip_prefix("remote-transcript: ").unwrap();
    let before = before.strip_suffix(" lines have arrived before; going on after them").unwrap();
    assert!((40_000..90_000).contains(&before.parse().unwrap()), "{before}");
    server.process.signal(Signal::TERM);
    let seen = [seen, watcher.end().output].concat();
    assert!(seen == lines, "{} lines were printed, or not in order", seen.len());
}

#[test]
fn a_server_shutdown_is_an_error_for_a_writer_with_more_lines() {
    let mut server = Server::start();
    let mut writer = Process::start(&["show", "--to", &server.uri]);
    let mut input = writer.take_input();
    let feeding =
        std::thread::spawn(move || while input.write_all(b"again and again\n").is_ok() {});
    server.process.output.line_with("again");
    server.process.signal(Signal::TERM);
    let end = writer.end();
    feeding.join().unwrap();
    assert_eq!(end.code, Some(1));
    let arrived = known_to_have_arrived(&end.notes);
    let shown = server.process.end().output.len() as u64 + 1;
    assert!(arrived <= shown, "{arrived} lines are reported, {shown} were printed");
}

/// Returns the number of lines in the only note.
fn known_to_have_arrived(notes: &[String]) -> u64 {
    assert_eq!(notes.len(), 1, "{notes:?}");
    let known = notes[0]
        .strip_suffix(" lines are known to have arrived")
        .and_then(|rest| rest.rsplit(' ').next());
    known.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{notes:?}"))
}
