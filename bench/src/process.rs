//! A child process whose output is read line by line. It is killed when its handle is dropped.

use std::process::Stdio;
use std::time::Duration;

use contract::Result;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::contestant::CommandLine;
use crate::placement::Placement;

pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    id: u32,
}

impl Process {
    pub(crate) fn start(
        line: &CommandLine,
        arguments: &[&str],
        placement: Placement,
    ) -> Result<Self> {
        let mut command = Command::new(&line.program);
        command.args(&line.arguments).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = placement
            .during(|| command.spawn())?
            .map_err(|error| format!("{}: {error}", line.program.display()))?;
        let out = child.stdout.take().ok_or("the child has no stdout")?;
        let id = child.id().ok_or("the child has no id")?;
        Ok(Self { child, lines: BufReader::new(out).lines(), id })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Returns the next line of output.
    ///
    /// # Errors
    /// Returns an error if the process exits first, or prints nothing for that long.
    pub(crate) async fn line(&mut self, limit: Duration) -> Result<String> {
        match timeout(limit, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err(format!("ended early: {}", self.child.wait().await?).into()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(format!("no output for {limit:?}").into()),
        }
    }

    /// Kills the process and waits for its end, so that it cannot disturb the next play.
    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Process {
        let shell = CommandLine::new("/bin/sh", ["-c"]);
        Process::start(&shell, &[script], Placement::Anywhere).expect("a shell")
    }

    #[tokio::test]
    async fn lines_arrive_one_by_one_until_the_end() {
        let mut process = shell("echo one; echo two; exit 3");
        assert_eq!(process.line(LIMIT).await.expect("there"), "one");
        assert_eq!(process.line(LIMIT).await.expect("there"), "two");
        let error = process.line(LIMIT).await.expect_err("it has ended").to_string();
        assert!(error.contains("ended early") && error.contains('3'), "{error}");
    }

    #[tokio::test]
    async fn a_silent_process_is_an_error_and_can_be_ended() {
        let mut process = shell("exec sleep 600");
        let error =
            process.line(Duration::from_millis(10)).await.expect_err("no output").to_string();
        assert!(error.contains("no output"), "{error}");
        let entry = format!("/proc/{}", process.id());
        assert!(Path::new(&entry).exists());
        process.end().await.expect("killed");
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
    fn a_missing_program_is_named() {
        let missing = CommandLine::new("/no/such", [""]);
        let error = Process::start(&missing, &[], Placement::Anywhere).map(|process| process.id());
        assert!(error.expect_err("not there").to_string().contains("/no/such"));
    }
}
