//! A child process with its reports and their times. It does not outlive its handle.
//!
//! It must not know the meaning of the reports.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::Result;
use crate::report::Report;

/// A report, and the time at which the controlling process received it. All times are of that process's clock.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) report: Report,
}

pub(crate) struct Process {
    child: Child,
    /// The process ends with its input, however the controlling process ends.
    _input: ChildStdin,
    lines: watch::Receiver<Vec<Line>>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let input = child.stdin.take().ok_or("its input is piped")?;
        let output = child.stdout.take().ok_or("its output is piped")?;
        let (sender, lines) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut output = BufReader::new(output).lines();
            while let Ok(Some(line)) = output.next_line().await {
                let at = Instant::now();
                match line.parse() {
                    Ok(report) => sender.send_modify(|lines| lines.push(Line { at, report })),
                    // A process that violates the contract is read no further, which fails the run.
                    Err(error) => return eprintln!("{error}"),
                }
            }
        });
        Ok(Self { child, _input: input, lines })
    }

    /// Waits for a report.
    ///
    /// # Errors
    /// Returns an error if it does not arrive within `limit`, or the process ends first.
    pub(crate) async fn wait_for_report(
        &self,
        limit: Duration,
        wanted: impl Fn(&Report) -> bool,
    ) -> Result<()> {
        let mut lines = self.lines.clone();
        let report = lines.wait_for(|lines| lines.iter().any(|line| wanted(&line.report)));
        match timeout(limit, report).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("a process ended early, or violated the contract".into()),
            Err(_) => Err(format!("a process did not report within {limit:?}").into()),
        }
    }

    /// Returns all reports so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.borrow().clone()
    }

    /// Kills it with `kill -9`, and waits for its end.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        Process::start(command).expect("a shell")
    }

    #[tokio::test]
    async fn reports_are_kept() {
        let process = shell("echo ready; echo made 1.1; exec cat");
        process
            .wait_for_report(LIMIT, |report| *report == Report::Made("1.1".to_owned()))
            .await
            .expect("report");
        let report: Vec<_> = process.lines().into_iter().map(|line| line.report).collect();
        assert_eq!(report, [Report::Ready, Report::Made("1.1".to_owned())]);
    }

    #[tokio::test]
    async fn a_timeout_and_an_early_end_are_distinguished() {
        let alive = |report: &Report| *report == Report::Alive;
        let error = shell("exec cat").wait_for_report(Duration::from_millis(10), alive).await;
        assert!(error.expect_err("it reports nothing").to_string().contains("within"));
        let error = shell("echo ready").wait_for_report(LIMIT, alive).await;
        assert!(error.expect_err("it has ended").to_string().contains("ended early"));
    }

    #[tokio::test]
    async fn a_killed_process_is_gone() {
        let mut process = shell("echo ready; exec cat");
        process.wait_for_report(LIMIT, |report| *report == Report::Ready).await.expect("it is up");
        let entry = format!("/proc/{}", process.child.id().expect("it runs"));
        assert!(std::path::Path::new(&entry).exists());
        process.kill().await.expect("it is ours");
        assert!(!std::path::Path::new(&entry).exists());
    }
}
