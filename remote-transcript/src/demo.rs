//! The command `demo`: a server, a watcher and two writers as processes of their own, and the count of what arrived where.
//! Knows of the other commands only what anyone who types them knows.

mod player;
mod relay;
mod tally;
mod trouble;

use std::time::{Duration, Instant};

use tokio::io::AsyncRead;
use tokio::sync::watch;

use self::player::{Output, Player, Stage, feed};
use self::relay::Relay;
use self::tally::{Faults, Tally};
use self::trouble::{FEWEST, LEASE, Trouble};
use crate::failure::{Code, Failure};

const WRITERS: [&str; 2] = ["ada", "ben"];

/// How long the whole may take: far more than it needs, so that a slow machine is no failure and a stuck process is.
const LIMIT: Duration = Duration::from_secs(60);

/// What `demo` is asked for.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// How many lines each writer sends
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    lines: u64,

    /// Cut the network in the middle for longer than a connection survives, then kill a writer and start it again
    #[arg(long)]
    cut: bool,
}

impl Demo {
    /// Plays the scene and fails if a line is missing, repeated or out of order anywhere.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        if self.cut && self.lines < FEWEST {
            let told = format_args!("there is no middle of {} lines: take {FEWEST}", self.lines);
            return Err(Failure::new(Code::Usage, told));
        }
        let scene = Scene {
            stage: Stage::new(),
            demo: self,
            at_server: watch::Sender::default(),
            at_watcher: watch::Sender::default(),
        };
        match tokio::time::timeout(LIMIT, scene.play()).await {
            Ok(played) => played,
            Err(_) => Err(failed(format_args!("not done after {} s", LIMIT.as_secs()))),
        }
    }
}

struct Scene {
    stage: Stage,
    demo: Demo,
    /// What was shown, so far.
    at_server: watch::Sender<Tally>,
    at_watcher: watch::Sender<Tally>,
}

impl Scene {
    async fn play(&self) -> Result<(), Failure> {
        let (stage, begun) = (&self.stage, Instant::now());
        let (lease, series): (&[_], &[_]) = match self.demo.cut {
            true => (&["--lease", LEASE], &["--continue"]),
            false => (&[], &[]),
        };
        let serve = ["serve", "--listen", "tcp://127.0.0.1:0", "--until-eof"];
        let mut server = stage.enter("the server", &[&serve, lease].concat()).await?;
        let mut server_output = server.output()?;
        let Some(first) = server_output.next_line().await? else {
            server.ends(stage).await?;
            return Err(failed("the server did not start"));
        };
        stage.tell(format_args!("    the server: {first}")).await;
        let mut uri = first.trim_start_matches("listening on ").to_owned();
        let relay = if self.demo.cut { Some(before(&mut uri).await?) } else { None };
        if relay.is_some() {
            stage.tell(format_args!("    the network that leads there: {uri}")).await;
        }

        let watch = ["watch", "--to", &uri];
        let mut watcher = stage.enter("the watcher", &[&watch, lease].concat()).await?;
        let watcher_output = watcher.output()?;
        watcher.notes("watching", stage).await?;

        let [ada, ben] =
            WRITERS.map(|name| [&["show", "--to", &uri, "--name", name], lease, series].concat());
        let mut writers =
            [stage.enter(WRITERS[0], &ada).await?, stage.enter(WRITERS[1], &ben).await?];
        let action = async {
            match &relay {
                None => {
                    let [ada, ben] = &mut writers;
                    tokio::try_join!(self.write(ada), self.write(ben))?;
                }
                Some(relay) => {
                    let (lines, seen) = (self.demo.lines, self.at_watcher.subscribe());
                    let trouble = Trouble { stage, relay, lines, seen, again: &ben };
                    trouble.befall(&mut watcher, &mut writers).await?;
                }
            }
            // All of it is in the Transcript. A server that ends tells its watchers the rest first.
            server.ends(stage).await?;
            watcher.ends(stage).await
        };
        tokio::try_join!(
            action,
            self.read(server_output, &self.at_server, None),
            self.read(watcher_output, &self.at_watcher, Some("watcher")),
        )?;
        self.judge(begun.elapsed()).await
    }

    /// Gives a writer its lines and waits until it knows that they have arrived.
    async fn write(&self, writer: &mut Player) -> Result<(), Failure> {
        let (_all, open) = watch::channel(self.demo.lines);
        feed(writer.input()?, self.demo.lines, open).await?;
        writer.ends(&self.stage).await
    }

    /// Counts what a process prints, to its end, and shows some of it if that has a name here.
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
            let telling =
                number.is_none_or(|number| number <= 2 || number % step == 0 || number == lines);
            if let Some(name) = shown_as.filter(|_| telling) {
                self.stage.tell(format_args!("    {name}: {line}")).await;
            }
        }
        Ok(())
    }

    async fn judge(&self, took: Duration) -> Result<(), Failure> {
        let (at_server, at_watcher) = (self.at_server.borrow(), self.at_watcher.borrow());
        let mut page =
            format!("\n{:>8} {:>10} {:>14} {:>15}", "", "sent", "at the server", "at the watcher");
        for name in WRITERS {
            let (server, watcher) = (at_server.from(name), at_watcher.from(name));
            page += &format!("\n{name:>8} {:>10} {server:>14} {watcher:>15}", self.demo.lines);
        }
        let verdict = verdict(&[("server", &at_server), ("watcher", &at_watcher)], self.demo.lines);
        drop((at_server, at_watcher));
        self.stage.tell(page).await;
        verdict?;
        let took = took.as_secs_f32();
        self.stage
            .tell(format_args!(
                "\nevery line arrived everywhere exactly once and in order, in {took:.1} s"
            ))
            .await;
        Ok(())
    }
}

/// A relay before the server at this address, which becomes that of the relay.
async fn before(uri: &mut String) -> Result<Relay, Failure> {
    let server = uri.trim_start_matches("tcp://").split('/').next().unwrap_or_default().to_owned();
    let relay = Relay::start(server.parse().map_err(failed)?).await?;
    *uri = uri.replace(&server, &relay.address().to_string());
    Ok(relay)
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
