//! The command `demo`: a server, a watcher and two writers as processes of their own, and the count of what arrived where.
//! Knows of the other commands only what anyone who types them knows.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, Command};

use crate::failure::{Code, Failure};
use crate::tally::{self, Faults, Tally};
use crate::terminal::Screen;

const WRITERS: [&str; 2] = ["ada", "ben"];

/// How long the whole may take: far more than it needs, so that a slow machine is no failure and a stuck process is.
const LIMIT: Duration = Duration::from_secs(60);

/// What `demo` is asked for.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// How many lines each writer sends
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    lines: u64,
}

impl Demo {
    /// Plays the scene and fails if a line is missing, repeated or out of order anywhere.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let stage = Stage { screen: Screen::new(false), lines: self.lines };
        match tokio::time::timeout(LIMIT, stage.play()).await {
            Ok(played) => played,
            Err(_) => Err(failed(format_args!("not done after {} s", LIMIT.as_secs()))),
        }
    }
}

struct Stage {
    screen: Screen,
    /// How many each writer sends.
    lines: u64,
}

/// A process of the scene. It ends when its input or its server ends, and at the latest when it is dropped here: none
/// stays, whatever happens.
struct Player {
    name: &'static str,
    process: Child,
}

impl Stage {
    async fn play(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut server = self
            .enter("the server", &["serve", "--listen", "tcp://127.0.0.1:0", "--until-eof"])
            .await?;
        let mut server_output = lines_of(server.process.stdout.take())?;
        let Some(first) = server_output.next_line().await? else {
            return Err(failed("the server did not start"));
        };
        self.tell(format_args!("    {first}")).await;
        let uri = first.trim_start_matches("listening on ");

        let mut watcher = self.enter("the watcher", &["watch", "--to", uri]).await?;
        let watcher_output = lines_of(watcher.process.stdout.take())?;
        let mut watcher_notes = lines_of(watcher.process.stderr.take())?;
        let Some(watching) = watcher_notes.next_line().await? else {
            return Err(failed("the watcher did not start"));
        };
        self.tell(format_args!("    {watching}")).await;

        let [ada, ben] = WRITERS;
        let mut writers = [
            self.enter(ada, &["show", "--to", uri, "--name", ada]).await?,
            self.enter(ben, &["show", "--to", uri, "--name", ben]).await?,
        ];
        let action = async {
            let [ada, ben] = &mut writers;
            tokio::try_join!(self.write(ada), self.write(ben))?;
            // All of it is in the Transcript. A server that ends tells its watchers the rest first.
            drop(server.process.stdin.take());
            server.ended().await?;
            while let Some(note) = watcher_notes.next_line().await? {
                self.tell(format_args!("    {note}")).await;
            }
            watcher.ended().await
        };
        let (at_server, at_watcher) =
            (self.read(server_output, None), self.read(watcher_output, Some("watcher")));
        let ((), at_server, at_watcher) = tokio::try_join!(action, at_server, at_watcher)?;
        self.judge(&at_server, &at_watcher, begun.elapsed()).await
    }

    /// Starts a process, and shows what one would type to start it.
    async fn enter(&self, name: &'static str, arguments: &[&str]) -> Result<Player, Failure> {
        let process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if arguments[0] == "watch" { Stdio::piped() } else { Stdio::inherit() })
            .kill_on_drop(true)
            .spawn()?;
        self.tell(format_args!("$ remote-transcript {}", arguments.join(" "))).await;
        Ok(Player { name, process })
    }

    /// Gives a writer its lines and waits until it knows that they have arrived.
    async fn write(&self, writer: &mut Player) -> Result<(), Failure> {
        let Some(mut input) = writer.process.stdin.take() else {
            return Err(failed("a writer has no input"));
        };
        let mut page = String::new();
        for number in 1..=self.lines {
            writeln!(page, "{}", tally::text(number, self.lines)).unwrap_or_default();
            if page.len() > 4096 || number == self.lines {
                input.write_all(page.as_bytes()).await?;
                page.clear();
            }
        }
        drop(input);
        writer.ended().await
    }

    /// Counts what a process prints, to its end, and shows some of it if that has a name here.
    async fn read(
        &self,
        mut output: Output<impl AsyncRead + Unpin>,
        shown_as: Option<&str>,
    ) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        let step = (self.lines / 5).max(1);
        while let Some(line) = output.next_line().await? {
            let number = tally.count(&line, self.lines);
            let telling = number
                .is_none_or(|number| number <= 2 || number % step == 0 || number == self.lines);
            if let Some(name) = shown_as.filter(|_| telling) {
                self.tell(format_args!("    {name}: {line}")).await;
            }
        }
        Ok(tally)
    }

    async fn judge(
        &self,
        at_server: &Tally,
        at_watcher: &Tally,
        took: Duration,
    ) -> Result<(), Failure> {
        self.tell(format_args!(
            "\n{:>8} {:>10} {:>14} {:>15}",
            "", "sent", "at the server", "at the watcher"
        ))
        .await;
        for name in WRITERS {
            let (server, watcher) = (at_server.from(name), at_watcher.from(name));
            self.tell(format_args!("{name:>8} {:>10} {server:>14} {watcher:>15}", self.lines))
                .await;
        }
        verdict(&[("server", at_server), ("watcher", at_watcher)], self.lines)?;
        let took = took.as_secs_f32();
        self.tell(format_args!(
            "\nevery line arrived everywhere exactly once and in order, in {took:.1} s"
        ))
        .await;
        Ok(())
    }

    async fn tell(&self, line: std::fmt::Arguments<'_>) {
        // The exit code says it as well, if nobody reads.
        let _ = self.screen.print(&format!("{line}\n")).await;
    }
}

/// Fails if the lines of a writer are not all there, each once and in order, at one of the places.
fn verdict(places: &[(&str, &Tally)], lines: u64) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for (place, tally) in places {
        for name in WRITERS {
            let faults = tally.faults(name, lines);
            if faults != Faults::default() {
                wrong.push(format!("at the {place}, of the lines of {name}, {faults}"));
            }
        }
        match tally.strange(&WRITERS) {
            0 => {}
            strange => wrong.push(format!("at the {place} {strange} lines came that nobody sent")),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(failed(wrong.join("; "))) }
}

impl Player {
    /// Waits until the process ends, and fails if it failed.
    async fn ended(&mut self) -> Result<(), Failure> {
        let status = self.process.wait().await?;
        if status.success() {
            Ok(())
        } else {
            Err(failed(format_args!("{} ended with {status}", self.name)))
        }
    }
}

type Output<O> = Lines<BufReader<O>>;

fn lines_of<O: AsyncRead>(output: Option<O>) -> Result<Output<O>, Failure> {
    output
        .map(|output| BufReader::new(output).lines())
        .ok_or_else(|| failed("a process has no output"))
}

fn failed(what: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Failed, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_fails_if_a_single_line_is_missing_at_a_single_place() {
        let shown = |lines: &[(&str, u64)]| {
            let mut tally = Tally::default();
            for (sender, number) in lines {
                tally.count(&format!("12:00:00 {sender}: {}", tally::text(*number, 2)), 2);
            }
            tally
        };
        let whole = shown(&[("ada", 1), ("ben", 1), ("ben", 2), ("ada", 2)]);
        assert_eq!(verdict(&[("server", &whole), ("watcher", &whole)], 2), Ok(()));
        let lacking = shown(&[("ada", 1), ("ben", 1), ("ben", 2)]);
        let failure =
            verdict(&[("server", &whole), ("watcher", &lacking)], 2).unwrap_err().to_string();
        let expected = "at the watcher, of the lines of ada, 1 missing, 0 repeated, 0 out of order";
        assert_eq!(failure, expected);
    }
}
