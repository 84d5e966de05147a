//! One play: a server, a client, a workload. It owns the conversation with both processes, and must not know how plays
//! are ordered or compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use contract::{Answer, Mark, Result, Workload};

use crate::figures::{Figures, Look, Span, figures};
use crate::placement::Placement;
use crate::probe::Probe;
use crate::process::Process;

/// How a play went.
#[derive(Debug)]
pub(crate) enum Outcome {
    Played(Figures),
    Unsupported,
}

/// Plays it, with a server of its own, and leaves no process behind.
pub(crate) async fn play(
    binary: &Path,
    workload: Workload,
    length: Duration,
    placement: Placement,
) -> Result<Outcome> {
    let mut server = Process::start(binary, &["serve"], placement)?;
    let announced = server.line(PATIENCE).await.map_err(|error| format!("server: {error}"))?;
    let port = announced.strip_prefix("PORT ").ok_or_else(|| format!("no port: {announced:?}"))?;

    let (text, seconds) = (workload.to_string(), length.as_secs_f64().to_string());
    let mut client = Process::start(binary, &["client", port, &text, &seconds], placement)?;
    let mut looks = Looks::new();
    let answer = loop {
        let line =
            client.line(length + PATIENCE).await.map_err(|error| format!("client: {error}"))?;
        match line.parse() {
            Ok(mark) => {
                let look =
                    Look { server: Probe::of(server.id())?, client: Probe::of(client.id())? };
                looks.insert(mark, (look, Instant::now()));
            }
            Err(_) => {
                break Answer::from_line(&line)
                    .map_err(|_| format!("client: {line:?} is no answer"))?;
            }
        }
    };
    client.end().await?;
    server.end().await?;
    outcome(workload, &answer, &looks)
}

/// Beyond the measured time: connecting, warming up, making what is held.
const PATIENCE: Duration = Duration::from_secs(60);

type Looks = BTreeMap<Mark, (Look, Instant)>;

fn outcome(workload: Workload, answer: &Answer, looks: &Looks) -> Result<Outcome> {
    let summary = match answer {
        Answer::Unsupported { .. } => return Ok(Outcome::Unsupported),
        Answer::Played(summary) => summary,
    };
    let (measured, _) = span(looks, Mark::Begin, Mark::End)?;
    let idle = match workload {
        Workload::Hold { .. } => Some(span(looks, Mark::IdleBegin, Mark::IdleEnd)?),
        _ => None,
    };
    let idle = idle.as_ref().map(|(span, length)| (span, *length));
    Ok(Outcome::Played(figures(workload, summary, &measured, idle)))
}

fn span(looks: &Looks, begin: Mark, end: Mark) -> Result<(Span, Duration)> {
    let look = |mark| looks.get(&mark).copied().ok_or_else(|| format!("client: no {mark}"));
    let ((begin, begun), (end, ended)) = (look(begin)?, look(end)?);
    Ok((Span { begin, end }, ended - begun))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::figures::Measure;

    /// A contestant that answers with a script.
    struct Script(PathBuf);

    impl Script {
        fn new(name: &str, client: &str) -> Self {
            let path = std::env::temp_dir().join(format!("bench-{}-{name}", std::process::id()));
            let script = format!(
                "#!/bin/sh\nif [ $1 = serve ]; then echo PORT 1; exec sleep 600; fi\n{client}\n"
            );
            // Not written by this process: whatever another test starts meanwhile would inherit the open file, and a
            // file that somebody may still write cannot be executed.
            let write = r#"printf '%s' "$2" > "$1" && chmod 700 "$1""#;
            let written =
                Command::new("/bin/sh").args(["-c", write, "sh"]).arg(&path).arg(script).status();
            assert!(written.expect("a shell").success());
            Self(path)
        }

        async fn play(&self, workload: &str) -> Result<Outcome> {
            play(&self.0, workload.parse()?, Duration::from_millis(1), Placement::Anywhere).await
        }
    }

    impl Drop for Script {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[tokio::test]
    async fn marks_and_the_answer_make_figures() {
        let script = Script::new(
            "sound",
            r#"echo MARK begin; echo MARK end; echo '{"calls":6,"secs":2}'; exec sleep 600"#,
        );
        let Outcome::Played(figures) = script.play("lat").await.expect("sound") else {
            panic!("it is supported")
        };
        assert_eq!(figures[&Measure::Rate], 3.0);
        let error = script.play("hold:6").await.expect_err("it needs four marks").to_string();
        assert!(error.contains("no MARK idle0"), "{error}");
    }

    #[tokio::test]
    async fn an_unsupported_workload_is_left_out() {
        let script = Script::new("unsupported", r#"echo '{"unsupported":true}'"#);
        assert!(matches!(script.play("lat").await, Ok(Outcome::Unsupported)));
    }

    #[tokio::test]
    async fn a_broken_contract_is_an_error() {
        let broken = [
            ("dead", "echo MARK begin; exit 1", "ended early"),
            ("talkative", "echo hello", "is no answer"),
            ("unmarked", r#"echo MARK begin; echo '{"calls":6,"secs":2}'"#, "no MARK end"),
        ];
        for (name, client, expected) in broken {
            let error = Script::new(name, client).play("lat").await.expect_err(name).to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
