//! Runs the two programs of the guide's first chapter as two processes.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A server process, killed if the test fails before it has ended.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// Returns the path of an example of this package. `cargo test` builds them all, unless it is given a target.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(path.exists(), "build it first: cargo build -p remote-core --examples");
    path
}

#[test]
#[cfg(unix)]
fn the_two_programs_of_the_first_chapter_run() {
    let mut server = Command::new(example("greeter_server"))
        .arg("tcp://127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .map(Server)
        .unwrap();
    let mut output = BufReader::new(server.0.stdout.take().unwrap());
    let mut uri = String::new();
    output.read_line(&mut uri).unwrap();

    let client = Command::new(example("greeter_client")).arg(uri.trim_end()).output().unwrap();
    assert_eq!(String::from_utf8(client.stdout).unwrap(), "hello, world\n");
    assert!(client.status.success());

    let interrupt = Command::new("kill").args(["-INT", &server.0.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "stopped\n");
    assert!(server.0.wait().unwrap().success());
}

#[test]
fn the_first_chapter_shows_these_programs() {
    let chapter = include_str!("../src/guide/getting_started.md");
    for program in [
        include_str!("../examples/greeter_server.rs"),
        include_str!("../examples/greeter_client.rs"),
    ] {
        let (_, shown) = program.split_once("\n\n").unwrap();
        assert!(chapter.contains(shown), "copy the example into the chapter");
    }
}
