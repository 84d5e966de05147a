//! A child process that speaks the contract, when it said what, and that it never outlives its handle. It must not know
//! what the words mean for anybody.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::Result;
use crate::report::Said;

/// What was said, and when it was heard: all times are of one clock, the referee's.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) said: Said,
}

pub(crate) struct Process {
    child: Child,
    /// With its end the process ends too, however the referee came to its own.
    _input: ChildStdin,
    lines: watch::Receiver<Vec<Line>>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let input = child.stdin.take().ok_or("its input was asked for")?;
        let output = child.stdout.take().ok_or("its output was asked for")?;
        let (sender, lines) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut output = BufReader::new(output).lines();
            while let Ok(Some(line)) = output.next_line().await {
                let at = Instant::now();
                match line.parse() {
                    Ok(said) => sender.send_modify(|lines| lines.push(Line { at, said })),
                    // Who breaks the contract is heard no further, which ends the play.
                    Err(error) => return eprintln!("{error}"),
                }
            }
        });
        Ok(Self { child, _input: input, lines })
    }

    /// Waits until it has said what is looked for, unless that takes longer or it ends before.
    pub(crate) async fn says(&self, limit: Duration, wanted: impl Fn(&Said) -> bool) -> Result<()> {
        let mut lines = self.lines.clone();
        let said = lines.wait_for(|lines| lines.iter().any(|line| wanted(&line.said)));
        match timeout(limit, said).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("ended early, or broke the contract".into()),
            Err(_) => Err(format!("did not say so within {limit:?}").into()),
        }
    }

    /// All that it has said so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.borrow().clone()
    }

    /// `kill -9`. Returns when it is gone.
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
    async fn what_it_says_is_kept() {
        let process = shell("echo ready; echo made 1.1; exec cat");
        process.says(LIMIT, |said| *said == Said::Made("1.1".to_owned())).await.expect("said");
        let said: Vec<_> = process.lines().into_iter().map(|line| line.said).collect();
        assert_eq!(said, [Said::Ready, Said::Made("1.1".to_owned())]);
    }

    #[tokio::test]
    async fn silence_and_an_early_end_are_told_apart() {
        let alive = |said: &Said| *said == Said::Alive;
        let error = shell("exec cat").says(Duration::from_millis(10), alive).await;
        assert!(error.expect_err("it says nothing").to_string().contains("within"));
        let error = shell("echo ready").says(LIMIT, alive).await;
        assert!(error.expect_err("it has ended").to_string().contains("ended early"));
    }

    #[tokio::test]
    async fn a_killed_process_is_gone() {
        let mut process = shell("echo ready; exec cat");
        process.says(LIMIT, |said| *said == Said::Ready).await.expect("it is up");
        let entry = format!("/proc/{}", process.child.id().expect("it runs"));
        assert!(std::path::Path::new(&entry).exists());
        process.kill().await.expect("it is ours");
        assert!(!std::path::Path::new(&entry).exists());
    }
}
