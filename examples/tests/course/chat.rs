//! Tests the chat room with a guest who does not read: the others receive every line, the room keeps a bounded number of
//! lines for it, and a guest who reads again learns how many lines it missed.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::Duration;

use crate::terminal::{example, free_port};

/// More lines than the system buffers for a guest who does not read.
const LINES: usize = 60_000;
/// The length of a line, in bytes: the maximum.
const LENGTH: usize = 400;
/// The lines that the system buffers at most, in two sockets, and some more.
const KEPT: usize = (16 << 20) / LENGTH;
/// The lines sent at a time: fewer than a guest's credit.
const BATCH: usize = 16;
/// The time limit for each event.
const LIMIT: Duration = Duration::from_secs(60);

/// The chat room example, in its own process.
struct Room {
    process: Child,
    port: u16,
    _printed: BufReader<ChildStdout>, // kept open while the process prints
}

impl Room {
    fn open() -> Room {
        let port = free_port();
        let mut process = Command::new(example("chat_room"))
            .arg(port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().expect("it was piped"));
        printed.read_line(&mut String::new()).unwrap(); // now the door is open
        Room { process, port, _printed: printed }
    }

    /// Connects a guest; returns the lines that it receives, and the stream to send on.
    fn enter(&self, name: &str) -> (Lines<BufReader<TcpStream>>, TcpStream) {
        let mut says = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        says.set_read_timeout(Some(LIMIT)).unwrap();
        let mut received = BufReader::new(says.try_clone().unwrap()).lines();
        assert_eq!(received.next().unwrap().unwrap(), "Who are you?");
        writeln!(says, "{name}").unwrap();
        assert!(received.next().unwrap().unwrap().starts_with("* in the room: "));
        (received, says)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the number at the start of a line of Ada's.
fn number(line: &str) -> usize {
    let said = line.strip_prefix("Ada: ").unwrap_or_else(|| panic!("not Ada's: {line}"));
    said.split(' ').next().and_then(|number| number.parse().ok()).unwrap()
}

#[test]
fn a_slow_member_delays_no_other_and_learns_what_it_missed() {
    let room = Room::open();
    let (sleeper, _sleepers_voice) = room.enter("Sleeper");
    let (mut grace, _graces_voice) = room.enter("Grace");
    let (_ada, mut says) = room.enter("Ada");
    assert_eq!(grace.next().unwrap().unwrap(), "* Ada has joined");

    let rest = "x".repeat(LENGTH - 10);
    let numbers: Vec<usize> = (0..LINES).collect();
    for batch in numbers.chunks(BATCH) {
        let said: String = batch.iter().map(|number| format!("{number} {rest}\n")).collect();
        says.write_all(said.as_bytes()).unwrap();
        for expected in batch {
            assert_eq!(number(&grace.next().unwrap().unwrap()), *expected);
        }
    }

    // The sleeper reads again: first the buffered lines, then the notice of missed lines, then the new ones.
    let (sender, woken) = channel();
    thread::spawn(move || {
        let mut lines = sleeper.map(Result::unwrap).skip_while(|line| line.starts_with("* "));
        let mut received = 0;
        let notice = loop {
            let line = lines.next().expect("a notice of missed lines follows");
            match line.strip_prefix("* you missed ") {
                Some(notice) => break notice.trim_end_matches(" lines").parse::<usize>().unwrap(),
                None => assert_eq!(number(&line), received, "no line is missed without a notice"),
            }
            received += 1;
        };
        let next = number(&lines.next().expect("a line follows the notice"));
        let _ = sender.send((received, notice, next));
    });
    for said in LINES.. {
        writeln!(says, "{said} awake?").unwrap();
        assert_eq!(number(&grace.next().unwrap().unwrap()), said);
        match woken.try_recv() {
            Ok((received, missed, next)) => {
                // What the guest receives late is what was kept for it: by the system, and little by the room.
                assert!(missed > 0 && received < KEPT, "{received} received, {missed} missed");
                return assert_eq!(received + missed, next);
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => panic!("the sleeper received a wrong line"),
        }
    }
}
