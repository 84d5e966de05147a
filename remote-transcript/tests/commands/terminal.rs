//! Tests on a terminal: colours, the progress bar, control characters, and the echo of typed text.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::process::{LIMIT, Server, command, run};

#[test]
fn a_terminal_has_colours_unless_they_are_disabled() {
    let server = Server::start();
    let watch = ["watch", "--to", &server.uri];
    let mut coloured = Terminal::run(&mut command(&watch));
    let mut bare = Terminal::run(command(&watch).env("NO_COLOR", "1"));
    let mut dumb = Terminal::run(command(&watch).env("TERM", "dumb"));
    for terminal in [&mut coloured, &mut bare, &mut dumb] {
        terminal.wait_for("watching");
    }
    assert_eq!(run(&["show", "--to", &server.uri, "--name", "ada", "hello"]).code, Some(0));
    for terminal in [&mut coloured, &mut bare, &mut dumb] {
        terminal.wait_for("hello");
    }
    assert!(coloured.seen.contains("\x1b["), "{:?}", coloured.seen);
    assert!(!bare.seen.contains('\x1b'), "{:?}", bare.seen);
    assert!(!dumb.seen.contains('\x1b'), "{:?}", dumb.seen);
}

#[test]
fn control_characters_of_peers_are_escaped() {
    let server = Server::start();
    let mut watchers =
        [&["watch", "--to", &server.uri][..], &["watch", "--plain", "--to", &server.uri]]
            .map(|arguments| Terminal::run(command(arguments).env("NO_COLOR", "1")));
    for watcher in &mut watchers {
        watcher.wait_for("watching");
    }
    assert_eq!(run(&["show", "--to", &server.uri, "a\x1b[2Jb", "end"]).code, Some(0));
    for watcher in &mut watchers {
        watcher.wait_for("end");
        assert!(watcher.seen.contains(r"a\u{1b}[2Jb end"), "{:?}", watcher.seen);
        assert!(!watcher.seen.contains('\x1b'), "{:?}", watcher.seen);
    }
}

#[test]
fn a_file_has_a_progress_bar() {
    let server = Server::start();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("with-a-bar-{}", std::process::id()));
    std::fs::write(&path, "a line\n".repeat(50_000)).unwrap();
    let terminal = Terminal::open();
    let mut show = command(&["show", "--to", &server.uri]);
    show.stdin(File::open(&path).unwrap()).stdout(Stdio::null()).stderr(terminal.side());
    let mut terminal = terminal.with(&mut show);
    terminal.wait_for("50,000 lines");
    assert_eq!(terminal.end(), Some(0));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn typed_text_is_not_printed_again() {
    let server = Server::start();
    let chat = |name| {
        let mut terminal = Terminal::run(
            command(&["chat", "--to", &server.chat_uri(), "--name", name]).env("NO_COLOR", "1"),
        );
        terminal.wait_for("here: ");
        terminal
    };
    let (mut ada, mut ben) = (chat("ada"), chat("ben"));
    ada.type_in("hello\n");
    ben.wait_for("ada: hello");
    ben.type_in("and goodbye\n");
    ada.wait_for("ben: and goodbye");
    assert!(!ada.seen.contains("ada: hello"), "{:?}", ada.seen);
    ada.type_in("\x04"); // Ctrl-D
    assert_eq!(ada.end(), Some(0));
    ben.wait_for("* ada left");
}

#[test]
fn an_interrupt_at_a_terminal_is_not_an_error() {
    let server = Server::start();
    let mut terminal = Terminal::run(&mut command(&["show", "--to", &server.uri]));
    terminal.wait_for("Ctrl-D ends");
    let id = Pid::from_child(terminal.process.as_ref().unwrap());
    kill_process(id, Signal::INT).unwrap();
    assert_eq!(terminal.end(), Some(0));
}

/// A pseudo-terminal with a process.
struct Terminal {
    keyboard: File,
    side: File,
    process: Option<Child>,
    screen: Receiver<String>,
    /// All output so far.
    seen: String,
}

impl Terminal {
    /// Runs the command on a new terminal.
    fn run(command: &mut Command) -> Terminal {
        let terminal = Terminal::open();
        command.stdin(terminal.side()).stdout(terminal.side()).stderr(terminal.side());
        terminal.with(command)
    }

    fn open() -> Terminal {
        let user: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&user).unwrap();
        unlockpt(&user).unwrap();
        tcsetwinsize(&user, Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 })
            .unwrap();
        let path = ptsname(&user, Vec::new()).unwrap();
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()));
        let side = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let keyboard = File::from(user);
        let mut output = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // On Linux, a read after the last process has closed the terminal is an error.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let _ = sender.send(String::from_utf8_lossy(&buffer[..count]).into_owned());
            }
        });
        Terminal { keyboard, side, process: None, screen, seen: String::new() }
    }

    /// Returns the process's side of the terminal.
    fn side(&self) -> File {
        self.side.try_clone().unwrap()
    }

    fn with(mut self, command: &mut Command) -> Terminal {
        self.process = Some(command.spawn().unwrap());
        self
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the text is printed.
    fn wait_for(&mut self, text: &str) {
        let start = Instant::now();
        while !self.seen.contains(text) {
            let left = LIMIT.saturating_sub(start.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(shown) => self.seen.push_str(&shown),
                Err(_) => panic!("{text:?} is not printed after {:?}", self.seen),
            }
        }
    }

    /// Waits until the process has exited, and reads the rest.
    fn end(&mut self) -> Option<i32> {
        let start = Instant::now();
        let process = self.process.as_mut().unwrap();
        let status = loop {
            if let Some(status) = process.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < LIMIT, "the process does not exit");
            if let Ok(shown) = self.screen.recv_timeout(std::time::Duration::from_millis(10)) {
                self.seen.push_str(&shown);
            }
        };
        self.seen.extend(self.screen.try_iter());
        status.code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
