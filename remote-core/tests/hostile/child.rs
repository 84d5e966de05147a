//! Owns a node in a process of its own, so that its memory can be told from that of whoever attacks it.
//!
//! It must not know what the attack is. Linux tells how much memory a process has used at most.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use remote_core::{Limits, Ref};

use super::stage::{Good, run, serve};
use super::target::{Butt, Target};

/// Names the role of a process that is started again.
const ROLE: &str = "REMOTE_HOSTILE_CHILD";
/// So long that what attackers have is still there when it is measured.
const LEASE: Duration = Duration::from_secs(30);

/// A node in another process.
pub(crate) struct Served {
    child: Child,
    uri: String,
    good: Good,
}

impl Served {
    /// Starts the process, with a good client of its node in this one.
    pub(crate) async fn new() -> Served {
        let program = std::env::current_exe().expect("a test has a program");
        let mut child = Command::new(program)
            .args(["child::serves_where_it_is_started_as_a_child", "--exact", "--nocapture"])
            .env(ROLE, "server")
            .stdout(Stdio::piped())
            .stdin(Stdio::piped())
            .spawn()
            .expect("the test can be started again");
        let output = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let uri = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("tcp://").map(|(_, place)| place.to_owned()));
        let uri = format!("tcp://{}", uri.expect("the child tells where it listens"));
        let good = Good::at(&uri).await;
        good.goes_on().await;
        Served { child, uri, good }
    }

    /// Host and port of the node.
    pub(crate) fn address(&self) -> String {
        self.uri.trim_start_matches("tcp://").trim_end_matches("/target").to_owned()
    }

    /// The most bytes of memory that the process has had so far.
    pub(crate) fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the child lives");
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells");
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes << 10
    }

    pub(crate) async fn goes_on(&self) {
        self.good.goes_on().await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other process: a node, until its standard input ends, as it does when the test is over, however it ends.
#[test]
fn serves_where_it_is_started_as_a_child() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    run(async {
        let node = serve(Limits::default(), LEASE).await.expect("a node starts");
        node.publish("target", Ref::<dyn Target>::new(Butt::default()))
            .await
            .expect("the name is free");
        println!("{}", node.uri("target"));
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await;
    });
}
