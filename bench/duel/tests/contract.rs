//! Tests that the contestants follow the contract in README.md, and that a table is printed, without a network namespace.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

const DUEL: &str = env!("CARGO_BIN_EXE_duel");

#[test]
fn an_owner_ends_with_its_input() {
    for contestant in ["capnp", "ours"] {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port().to_string();
        let mut owner = Command::new(DUEL)
            .args(["play", contestant, "10000", "owner", &port, "1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it is built");
        let mut line = String::new();
        let output = owner.stdout.as_mut().expect("its output is piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "{contestant}");
        drop(owner.stdin.take());
        assert!(owner.wait().expect("it ends").success(), "{contestant}");
    }
}

#[test]
fn a_killed_holder_in_rust_frees_its_object() {
    killed(&["--contestant", "capnp", "--contestant", "ours"]);
}

#[test]
fn a_killed_holder_in_java_frees_its_object() {
    if Command::new("javac").arg("--version").output().is_err() {
        eprintln!("!!! SKIPPED: javac is not installed");
        return;
    }
    killed(&["--contestant", "rmi"]);
}

/// Runs the scenario `killed`, and looks for the figure in the table.
fn killed(contestants: &[&str]) {
    let output = Command::new(DUEL)
        .args(["--scenario", "killed", "--pairs", "1", "--lease", "9"])
        .args(contestants)
        .output()
        .expect("it is built");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}{}", String::from_utf8_lossy(&output.stderr));
    let freed = table.lines().find(|line| line.starts_with("| object freed after |"));
    let freed = freed.unwrap_or_else(|| panic!("no such row: {table}"));
    assert_eq!(freed.matches(" s |").count(), contestants.len() / 2, "{freed}");
    assert!(!freed.contains("not in"), "{freed}");
}
