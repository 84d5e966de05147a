//! Owns what the chat room promises about guests who do not read: the others hear everything, memory stays as it is, and who
//! reads again is told how much was missed. It must not know how the room does it.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::Duration;

use crate::terminal::{example, free_port};

/// So much that the system cannot keep it for a guest who does not read.
const LINES: usize = 60_000;
/// As long as a line of what is said may be.
const LENGTH: usize = 400;
/// As many are said at a time: fewer than the room has on its way to a guest.
const BATCH: usize = 16;
/// How long anything may take that should happen.
const LIMIT: Duration = Duration::from_secs(60);

/// The room, in a process of its own.
struct Room {
    process: Child,
    port: u16,
    _printed: BufReader<ChildStdout>, // open, as long as it prints
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
        printed.read_line(&mut String::new()).unwrap(); // then the door is open
        Room { process, port, _printed: printed }
    }

    /// Who comes in: what is heard, and where things are said.
    fn enter(&self, name: &str) -> (Lines<BufReader<TcpStream>>, TcpStream) {
        let mut says = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        says.set_read_timeout(Some(LIMIT)).unwrap();
        let mut hears = BufReader::new(says.try_clone().unwrap()).lines();
        assert_eq!(hears.next().unwrap().unwrap(), "Who are you?");
        writeln!(says, "{name}").unwrap();
        assert!(hears.next().unwrap().unwrap().starts_with("* here is "));
        (hears, says)
    }

    /// The memory that it has now, in bytes.
    fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The number that a line begins with.
fn number(line: &str) -> usize {
    let said = line.strip_prefix("Ada: ").unwrap_or_else(|| panic!("not Ada's: {line}"));
    said.split(' ').next().and_then(|number| number.parse().ok()).unwrap()
}

#[test]
fn a_guest_who_does_not_read_holds_up_nobody_and_is_told_what_was_missed() {
    let room = Room::open();
    let (sleeper, _sleepers_voice) = room.enter("Sleeper");
    let (mut grace, _graces_voice) = room.enter("Grace");
    let (_ada, mut says) = room.enter("Ada");
    assert_eq!(grace.next().unwrap().unwrap(), "* Ada has come");
    let before = room.resident();

    let rest = "x".repeat(LENGTH - 10);
    let numbers: Vec<usize> = (0..LINES).collect();
    for batch in numbers.chunks(BATCH) {
        let said: String = batch.iter().map(|number| format!("{number} {rest}\n")).collect();
        says.write_all(said.as_bytes()).unwrap();
        for expected in batch {
            assert_eq!(number(&grace.next().unwrap().unwrap()), *expected);
        }
    }
    if let (Some(before), Some(after)) = (before, room.resident()) {
        assert!(after < before + (16 << 20), "{before} bytes, and then {after}");
    }

    // The sleeper wakes: it reads what was on its way, and what is said from now on; between them it is told.
    let (sender, woken) = channel();
    thread::spawn(move || {
        let mut lines = sleeper.map(Result::unwrap).skip_while(|line| line.starts_with("* "));
        let mut heard = 0;
        let notice = loop {
            let line = lines.next().expect("it is told how much it missed");
            match line.strip_prefix("* you have missed ") {
                Some(notice) => break notice.trim_end_matches(" lines").parse::<usize>().unwrap(),
                None => assert_eq!(number(&line), heard, "nothing is missed without a word"),
            }
            heard += 1;
        };
        let next = number(&lines.next().expect("a line comes behind the notice"));
        let _ = sender.send((heard, notice, next));
    });
    for said in LINES.. {
        writeln!(says, "{said} awake?").unwrap();
        assert_eq!(number(&grace.next().unwrap().unwrap()), said);
        match woken.try_recv() {
            Ok((heard, missed, next)) => {
                assert!(missed > 0 && heard < LINES, "{heard} heard, {missed} missed");
                return assert_eq!(heard + missed, next);
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => panic!("the sleeper heard something wrong"),
        }
    }
}
