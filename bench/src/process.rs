//! A child process that speaks the contract's lines, and that never outlives its handle. It must not know what the lines
//! mean.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use contract::Result;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::placement::Placement;

pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    id: u32,
}

impl Process {
    pub(crate) fn start(binary: &Path, arguments: &[&str], placement: Placement) -> Result<Self> {
        let mut command = Command::new(binary);
        // Killed with its handle, so that an error on any path leaves nothing running.
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = placement
            .within(|| command.spawn())?
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let out = child.stdout.take().ok_or("its output was asked for")?;
        let id = child.id().ok_or("it has just been started")?;
        Ok(Self { child, lines: BufReader::new(out).lines(), id })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// The next line that it prints, within that time.
    pub(crate) async fn line(&mut self, limit: Duration) -> Result<String> {
        match timeout(limit, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err(format!("ended early: {}", self.child.wait().await?).into()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(format!("silent for {limit:?}").into()),
        }
    }

    /// Ends it and waits until it is gone, so that it cannot disturb the next play.
    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Process {
        Process::start(Path::new("/bin/sh"), &["-c", script], Placement::Anywhere).expect("a shell")
    }

    #[tokio::test]
    async fn lines_come_one_by_one_until_it_ends() {
        let mut process = shell("echo one; echo two; exit 3");
        assert_eq!(process.line(LIMIT).await.expect("there"), "one");
        assert_eq!(process.line(LIMIT).await.expect("there"), "two");
        let error = process.line(LIMIT).await.expect_err("it has ended").to_string();
        assert!(error.contains("ended early") && error.contains('3'), "{error}");
    }

    #[tokio::test]
    async fn a_silent_process_is_given_up_and_ended() {
        let mut process = shell("exec sleep 600");
        let error =
            process.line(Duration::from_millis(10)).await.expect_err("it says nothing").to_string();
        assert!(error.contains("silent"), "{error}");
        let entry = format!("/proc/{}", process.id());
        assert!(Path::new(&entry).exists());
        process.end().await.expect("it is ours");
        assert!(!Path::new(&entry).exists());
    }

    #[tokio::test]
    async fn a_dropped_process_is_killed() {
        let mut process = shell("echo up; exec sleep 600");
        process.line(LIMIT).await.expect("it is up");
        let stat = format!("/proc/{}/stat", process.id());
        drop(process);
        timeout(LIMIT, async {
            while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("it has died");
    }

    #[test]
    fn a_binary_that_is_not_there_is_named() {
        let error = Process::start(Path::new("/no/such"), &[], Placement::Anywhere)
            .map(|process| process.id());
        assert!(error.expect_err("it is not there").to_string().contains("/no/such"));
    }
}
