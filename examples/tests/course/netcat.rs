//! Tests of the socket examples with a real `nc` that are not in README.md's transcripts: many clients at once, and errors.
//!
//! It accepts no netcat but OpenBSD's.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;

use crate::terminal::{Terminal, example, free_port};

/// Returns true if `nc` is installed. If not, reports the skipped test even where the output of tests is captured.
pub(crate) fn is_here(wanted: &str) -> bool {
    let help = Command::new("nc").arg("-h").output();
    let here =
        help.is_ok_and(|help| String::from_utf8_lossy(&help.stderr).contains("OpenBSD netcat"));
    if !here {
        // The test harness captures `eprintln!`.
        let _ = writeln!(
            std::io::stderr(),
            "!!! SKIPPED: {wanted} needs nc (netcat-openbsd), which is not installed"
        );
    }
    here
}

#[test]
fn the_client_reports_a_refused_connection() {
    let client = Command::new(example("socket_client"))
        .arg(format!("localhost:{}", free_port()))
        .output()
        .unwrap();
    assert!(!client.status.success());
    let stderr = String::from_utf8(client.stderr).unwrap();
    assert!(stderr.contains("Connection refused"), "{stderr}");
}

#[test]
fn the_client_closes_after_the_server_closed_without_sending() {
    if !is_here("the client's error") {
        return;
    }
    let port = free_port();
    let mut server = Terminal::start(&format!("nc -l -N {port} < /dev/null")); // closes without sending
    let client =
        Command::new(example("socket_client")).arg(format!("localhost:{port}")).output().unwrap();
    assert!(!client.status.success());
    let stderr = String::from_utf8(client.stderr).unwrap();
    assert!(stderr.contains("UnexpectedEof"), "{stderr}");
    assert_eq!(server.next_line("what the client sent"), "Rust");
    server.ends("the client has closed"); // otherwise nc would still wait
}

#[test]
fn eight_netcats_at_once_get_distinct_numbers() {
    if !is_here("eight clients of the concurrent server") {
        return;
    }
    let port = free_port();
    let mut server =
        Terminal::start(&format!("'{}' {port}", example("concurrent_server").display()));
    server.next_line("it listens");
    let mut clients: Vec<Terminal> =
        (0..8).map(|_| Terminal::start(&format!("nc localhost {port}"))).collect();
    for _ in 0..10 {
        for client in &mut clients {
            client.type_line("one of eight");
        }
    }
    let mut numbers = BTreeSet::new();
    for client in &mut clients {
        for _ in 0..10 {
            let line = client.next_line("a number");
            let (number, text) = line.split_once(": ").unwrap();
            assert_eq!(text, "one of eight");
            assert!(numbers.insert(number.parse::<u64>().unwrap()), "{number} came twice");
        }
    }
    assert!(numbers.into_iter().eq(1..=80));
}

#[test]
fn killing_one_author_does_not_affect_the_others() {
    if !is_here("the authors of the micro blog") {
        return;
    }
    let port = free_port();
    let mut server = Terminal::start(&format!("'{}' {port}", example("micro_blog").display()));
    server.next_line("it listens");
    let mut authors: Vec<Terminal> = ["Ada", "Grace", "Adele"]
        .into_iter()
        .map(|name| {
            let mut author = Terminal::start(&format!("nc localhost {port}"));
            assert_eq!(author.next_line("the question"), "Who are you?");
            author.type_line(name);
            author
        })
        .collect();
    let all_read = |authors: &mut [Terminal], wanted: &str| {
        for author in authors {
            assert_eq!(author.next_line("a post"), wanted);
        }
    };
    authors[2].type_line("I must go");
    all_read(&mut authors, "Adele: I must go");
    authors.pop().unwrap().stop();
    authors[0].type_line("So soon?");
    all_read(&mut authors, "Ada: So soon?");
    authors[1].type_line("She will be back");
    all_read(&mut authors, "Grace: She will be back");
}
