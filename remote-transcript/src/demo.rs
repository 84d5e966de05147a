//! The command `demo`: runs a server, a watcher and two writers as separate processes, and counts the lines that
//! arrive. It must know only the command lines of the other commands.

mod outage;
mod process;
mod relay;
mod tally;

use std::time::{Duration, Instant};

use tokio::io::AsyncRead;
use tokio::sync::watch;

use self::outage::{FEWEST, LEASE, Outage};
use self::process::{Console, Output, Process, feed};
use self::relay::Relay;
use self::tally::{LineErrors, Tally};
use crate::failure::{Code, Failure};

const WRITERS: [&str; 2] = ["ada", "ben"];

/// The time limit: long enough for a slow machine, so that only a stuck process exceeds it.
const LIMIT: Duration = Duration::from_secs(60);

/// The options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// The number of lines that each writer sends
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    lines: u64,

    /// Cut the network until every connection is lost, restore it, then kill a writer and start it again
    #[arg(long)]
    cut: bool,
}

impl Demo {
    /// Runs the processes, and returns an error if a line is missing, repeated or out of order.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        if self.cut && self.lines < FEWEST {
            let text = format_args!("--cut needs at least {FEWEST} lines, not {}", self.lines);
            return Err(Failure::new(Code::Usage, text));
        }
        let run = Run {
            console: Console::new(),
            demo: self,
            at_server: watch::Sender::default(),
            at_watcher: watch::Sender::default(),
        };
        match tokio::time::timeout(LIMIT, run.execute()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(failed(format_args!("not finished after {} s", LIMIT.as_secs()))),
        }
    }
}

struct Run {
    console: Console,
    demo: Demo,
    /// The lines printed so far.
    at_server: watch::Sender<Tally>,
    at_watcher: watch::Sender<Tally>,
}

impl Run {
    async fn execute(&self) -> Result<(), Failure> {
        let (console, start) = (&self.console, Instant::now());
        let (lease, series): (&[_], &[_]) = match self.demo.cut {
            true => (&["--lease", LEASE], &["--continue"]),
            false => (&[], &[]),
        };
        let serve = ["serve", "--listen", "tcp://127.0.0.1:0", "--until-eof"];
        let mut server = console.start("the server", &[&serve, lease].concat()).await?;
        let mut server_output = server.output()?;
        let Some(first) = server_output.next_line().await? else {
            server.wait(console).await?;
            return Err(failed("the server did not start"));
        };
        console.print(format_args!("    the server: {first}")).await;
        let mut uri = first.trim_start_matches("listening on ").to_owned();
        let relay = if self.demo.cut { Some(start_relay(&mut uri).await?) } else { None };
        if relay.is_some() {
            console.print(format_args!("    the relay before it: {uri}")).await;
        }

        let watch = ["watch", "--to", &uri];
        let mut watcher = console.start("the watcher", &[&watch, lease].concat()).await?;
        let watcher_output = watcher.output()?;
        watcher.wait_for_note("watching", console).await?;

        let [ada, ben] =
            WRITERS.map(|name| [&["show", "--to", &uri, "--name", name], lease, series].concat());
        let mut writers =
            [console.start(WRITERS[0], &ada).await?, console.start(WRITERS[1], &ben).await?];
        let action = async {
            match &relay {
                None => {
                    let [ada, ben] = &mut writers;
                    tokio::try_join!(self.write(ada), self.write(ben))?;
                }
                Some(relay) => {
                    let (lines, seen) = (self.demo.lines, self.at_watcher.subscribe());
                    let outage = Outage { console, relay, lines, seen, again: &ben };
                    outage.run(&mut watcher, &mut writers).await?;
                }
            }
            // All lines have arrived at the server. It sends its watchers the rest before it ends.
            server.wait(console).await?;
            watcher.wait(console).await
        };
        tokio::try_join!(
            action,
            self.read(server_output, &self.at_server, None),
            self.read(watcher_output, &self.at_watcher, Some("watcher")),
        )?;
        self.report(start.elapsed()).await
    }

    /// Writes the lines to a writer, and waits until it has exited: all have arrived.
    async fn write(&self, writer: &mut Process) -> Result<(), Failure> {
        let (_sender, limit) = watch::channel(self.demo.lines);
        feed(writer.input()?, self.demo.lines, limit).await?;
        writer.wait(&self.console).await
    }

    /// Counts the lines that a process prints, to its end, and prints some of them if `shown_as` is set.
    async fn read(
        &self,
        mut output: Output<impl AsyncRead + Unpin>,
        tally: &watch::Sender<Tally>,
        shown_as: Option<&str>,
    ) -> Result<(), Failure> {
        let lines = self.demo.lines;
        let step = (lines / 5).max(1);
        while let Some(line) = output.next_line().await? {
            let mut number = None;
            tally.send_modify(|tally| number = tally.count(&line, lines));
            let printed =
                number.is_none_or(|number| number <= 2 || number % step == 0 || number == lines);
            if let Some(name) = shown_as.filter(|_| printed) {
                self.console.print(format_args!("    {name}: {line}")).await;
            }
        }
        Ok(())
    }

    async fn report(&self, took: Duration) -> Result<(), Failure> {
        let (at_server, at_watcher) = (self.at_server.borrow(), self.at_watcher.borrow());
        let mut page =
            format!("\n{:>8} {:>10} {:>14} {:>15}", "", "sent", "at the server", "at the watcher");
        for name in WRITERS {
            let (server, watcher) = (at_server.from(name), at_watcher.from(name));
            page += &format!("\n{name:>8} {:>10} {server:>14} {watcher:>15}", self.demo.lines);
        }
        let verdict = verdict(&[("server", &at_server), ("watcher", &at_watcher)], self.demo.lines);
        drop((at_server, at_watcher));
        self.console.print(page).await;
        verdict?;
        let took = took.as_secs_f32();
        self.console
            .print(format_args!(
                "\nevery line arrived everywhere exactly once and in order, in {took:.1} s"
            ))
            .await;
        Ok(())
    }
}

/// Starts a relay before the server, and replaces the address of the server by that of the relay.
async fn start_relay(uri: &mut String) -> Result<Relay, Failure> {
    let server = uri.trim_start_matches("tcp://").split('/').next().unwrap_or_default().to_owned();
    let relay = Relay::start(server.parse().map_err(failed)?).await?;
    *uri = uri.replace(&server, &relay.address().to_string());
    Ok(relay)
}

/// Returns an error if a line of a writer is missing, repeated or out of order at one of the places.
fn verdict(places: &[(&str, &Tally)], lines: u64) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for (place, tally) in places {
        for name in WRITERS {
            let errors = tally.errors(name, lines);
            if errors != LineErrors::default() {
                wrong.push(format!("at the {place}, of the lines of {name}, {errors}"));
            }
        }
        match tally.unexpected(&WRITERS) {
            0 => {}
            unexpected => {
                wrong.push(format!("at the {place}, {unexpected} lines that no writer sent"))
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(failed(wrong.join("; "))) }
}

fn failed(what: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Failed, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missing_line_at_one_place_is_a_failure() {
        let tally = |lines: &[(&str, u64)]| {
            let mut tally = Tally::default();
            for (sender, number) in lines {
                tally.count(&format!("12:00:00 {sender}: {}", tally::text(*number, 2)), 2);
            }
            tally
        };
        let whole = tally(&[("ada", 1), ("ben", 1), ("ben", 2), ("ada", 2)]);
        assert_eq!(verdict(&[("server", &whole), ("watcher", &whole)], 2), Ok(()));
        let lacking = tally(&[("ada", 1), ("ben", 1), ("ben", 2)]);
        let failure =
            verdict(&[("server", &whole), ("watcher", &lacking)], 2).unwrap_err().to_string();
        let expected = "at the watcher, of the lines of ada, 1 missing, 0 repeated, 0 out of order";
        assert_eq!(failure, expected);
    }
}
