//! One play: starts a server and a client, follows the client's marks, and ends both.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contract::{Answer, Mark, Result, Workload};

use crate::contestant::CommandLine;
use crate::figures::{Figures, Reading, Span, Spans, figures};
use crate::placement::Placement;
use crate::probe::Probe;
use crate::process::Process;

/// The result of a play.
#[derive(Debug)]
pub(crate) enum Outcome {
    Played(Figures),
    Unsupported,
}

/// Plays a workload with a server of its own. No process is left running.
///
/// # Errors
/// Returns an error if a process fails, violates the contract or prints nothing for too long.
pub(crate) async fn play(
    contestant: &CommandLine,
    workload: Workload,
    length: Duration,
    placement: Placement,
) -> Result<Outcome> {
    let mut server = Process::start(contestant, &["serve"], placement)?;
    let announced = server.line(TIME_TO_START).await.map_err(|error| format!("server: {error}"))?;
    let port = announced
        .strip_prefix("PORT ")
        .ok_or_else(|| format!("server: {announced:?} is not a port"))?;

    let (text, seconds) = (workload.to_string(), length.as_secs_f64().to_string());
    let mut client = Process::start(contestant, &["client", port, &text, &seconds], placement)?;
    let limit = time_limit(workload, length);
    let mut readings = Readings::new();
    let answer = loop {
        let line = client.line(limit).await.map_err(|error| format!("client: {error}"))?;
        match line.parse() {
            Ok(mark) => {
                let (server, client) = (Probe::of(server.id())?, Probe::of(client.id())?);
                readings.insert(mark, (Reading { server, client }, Instant::now()));
            }
            Err(_) => {
                break Answer::from_line(&line)
                    .map_err(|_| format!("client: {line:?} is neither a mark nor an answer"))?;
            }
        }
    };
    client.end().await?;
    server.end().await?;
    outcome(workload, &answer, &readings)
}

/// Time for connecting and warming up.
const TIME_TO_START: Duration = Duration::from_secs(60);
/// Time for creating one held object or connection, and for checking it at the end.
const TIME_FOR_EACH: Duration = Duration::from_millis(1);

/// Returns the longest time between two lines of a client. `table` and `idle` rest for ten times the measured time.
fn time_limit(workload: Workload, length: Duration) -> Duration {
    TIME_TO_START + length * 10 + TIME_FOR_EACH * workload.held().unwrap_or(0)
}

type Readings = BTreeMap<Mark, (Reading, Instant)>;

fn outcome(workload: Workload, answer: &Answer, readings: &Readings) -> Result<Outcome> {
    let summary = match answer {
        Answer::Unsupported { .. } => return Ok(Outcome::Unsupported),
        Answer::Played(summary) => summary,
    };
    let measured = span(readings, Mark::Begin, Mark::End)?;
    let creating = match workload {
        Workload::Hold { .. } => Some(measured),
        _ if workload.held().is_some() => Some(span(readings, Mark::HeldBegin, Mark::HeldEnd)?),
        _ => None,
    };
    let idle = match workload.held() {
        Some(_) => Some(span(readings, Mark::IdleBegin, Mark::IdleEnd)?),
        None => None,
    };
    Ok(Outcome::Played(figures(workload, summary, &Spans { measured, creating, idle })))
}

fn span(readings: &Readings, begin: Mark, end: Mark) -> Result<Span> {
    let reading = |mark| readings.get(&mark).copied().ok_or_else(|| format!("client: no {mark}"));
    let ((begin, begun), (end, ended)) = (reading(begin)?, reading(end)?);
    Ok(Span { begin, end, length: ended - begun })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::figures::Measure;

    /// A contestant whose client is a shell script.
    struct Script(PathBuf);

    impl Script {
        fn new(name: &str, client: &str) -> Self {
            let path = std::env::temp_dir().join(format!("bench-{}-{name}", std::process::id()));
            let script = format!(
                "#!/bin/sh\nif [ $1 = serve ]; then echo PORT 1; exec sleep 600; fi\n{client}\n"
            );
            // Written by another process: a child that another test starts meanwhile would inherit the open file, and
            // a file that is open for writing cannot be executed.
            let write = r#"printf '%s' "$2" > "$1" && chmod 700 "$1""#;
            let written =
                Command::new("/bin/sh").args(["-c", write, "sh"]).arg(&path).arg(script).status();
            assert!(written.expect("a shell").success());
            Self(path)
        }

        async fn play(&self, workload: &str) -> Result<Outcome> {
            let command = CommandLine::new(&self.0, [""; 0]);
            play(&command, workload.parse()?, Duration::from_millis(1), Placement::Anywhere).await
        }
    }

    impl Drop for Script {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[tokio::test]
    async fn marks_and_the_answer_yield_figures() {
        let script = Script::new(
            "right",
            r#"echo MARK begin; echo MARK end; echo '{"calls":6,"secs":2}'; exec sleep 600"#,
        );
        let Outcome::Played(figures) = script.play("lat").await.expect("right") else {
            panic!("unsupported")
        };
        assert_eq!(figures[&Measure::Rate], 3.0);
        let error = script.play("hold:6").await.expect_err("two marks are missing").to_string();
        assert!(error.contains("no MARK idle0"), "{error}");
        let error = script.play("table:6").await.expect_err("four are missing").to_string();
        assert!(error.contains("no MARK held0"), "{error}");
    }

    #[tokio::test]
    async fn an_unsupported_workload_has_no_figures() {
        let script = Script::new("unsupported", r#"echo '{"unsupported":true}'"#);
        assert!(matches!(script.play("lat").await, Ok(Outcome::Unsupported)));
    }

    #[tokio::test]
    async fn a_broken_contract_is_an_error() {
        let broken = [
            ("dead", "echo MARK begin; exit 1", "ended early"),
            ("talkative", "echo hello", "neither a mark nor an answer"),
            ("unmarked", r#"echo MARK begin; echo '{"calls":6,"secs":2}'"#, "no MARK end"),
        ];
        for (name, client, expected) in broken {
            let error = Script::new(name, client).play("lat").await.expect_err(name).to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
