//! The contestant `rmi` implements the contract. It is tested here because it has no package of its own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

#[test]
fn every_workload_is_played_by_the_contract() {
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rmi-classes");
    let sources = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/rmi"))
        .expect("they are part of the source")
        .map(|entry| entry.expect("it can be read").path());
    let compiled = Command::new("javac").arg("-d").arg(&classes).args(sources).output();
    let output = match compiled {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            eprintln!("!!! SKIPPED: there is no javac");
            return;
        }
        compiled => compiled.expect("it starts"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let binary = classes.join("rmi");
    let script = format!("#!/bin/sh\nexec java -cp '{}' Peer \"$@\"\n", classes.display());
    fs::write(&binary, script).expect("the directory is ours");
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    contract::conformance::check(binary.to_str().expect("cargo's paths are text"));
}
