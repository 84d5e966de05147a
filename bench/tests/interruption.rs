//! An interrupted runner leaves no process behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

const LIMIT: Duration = Duration::from_secs(60);

/// Writes its process ids to files, and does not end by itself.
const ENDLESS: &str = r#"#!/bin/sh
echo $$ > "$0.$1"
if [ $1 = serve ]; then echo PORT 1; else echo MARK begin; fi
exec sleep 600
"#;

#[test]
fn an_interrupted_runner_kills_its_children() {
    for signal in ["INT", "TERM", "HUP"] {
        let directory = Directory::new(signal);
        let contestant = directory.0.join("endless");
        let write = r#"printf '%s' "$2" > "$1" && chmod 700 "$1""#;
        let written = Command::new("/bin/sh")
            .args(["-c", write, "sh"])
            .arg(&contestant)
            .arg(ENDLESS)
            .status();
        assert!(written.expect("a shell").success());

        let mut runner = Command::new(env!("CARGO_BIN_EXE_bench"))
            .args(["run", "--workload", "lat", "--contestant"])
            .arg(format!("endless={}", contestant.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("built");
        let children = ["serve", "client"].map(|role| process_id(&contestant.with_extension(role)));
        assert!(children.iter().all(|child| alive(child)));

        let kill = Command::new("/bin/sh")
            .args(["-c", &format!("kill -{signal} {}", runner.id())])
            .status();
        assert!(kill.expect("a shell").success());
        assert!(!runner.wait().expect("a child").success());
        until(|| (!children.iter().any(|child| alive(child))).then_some(()));
    }
}

fn process_id(path: &Path) -> String {
    until(|| fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'))).trim().to_owned()
}

/// Returns true if the process runs; a zombie does not.
fn alive(process: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn until<R>(found: impl Fn() -> Option<R>) -> R {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}");
        thread::yield_now();
    }
}

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("bench-interruption-{}-{name}", process::id()));
        fs::create_dir(&path).expect("a new directory");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A file left in the temporary directory does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
