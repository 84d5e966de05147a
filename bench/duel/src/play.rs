//! What the contestants in Rust do alike: the turns of a holder and of a churner, and the words of an owner's object. It
//! must not know how a call travels.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::report::Said;

/// From the end of one call to the beginning of the next.
const TURN: Duration = Duration::from_millis(200);

/// A far maker of objects.
pub(crate) trait Maker {
    type Item: Item;

    async fn make(&self) -> Result<Self::Item, Failure>;
}

/// A far object. Dropped, it is no longer held.
pub(crate) trait Item {
    async fn name(&self) -> Result<String, Failure>;
}

/// What a call failed with, as one word.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// The name of the variant, as it stands at the head of what `Debug` prints.
    pub(crate) fn of(kind: &impl std::fmt::Debug) -> Self {
        let text = format!("{kind:?}");
        Self(text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned())
    }
}

impl From<Failure> for crate::Failure {
    fn from(failure: Failure) -> Self {
        failure.0.into()
    }
}

/// Has one object made and calls it for ever, whatever becomes of it: nothing is looked up again.
pub(crate) async fn hold(maker: impl Maker) -> crate::Result<()> {
    let item = maker.make().await?;
    let own = item.name().await?;
    say(&Said::Holds(own.clone()));
    loop {
        sleep(TURN).await;
        say(&match item.name().await {
            Ok(name) if name == own => Said::Alive,
            Ok(name) => Said::Wrong(name),
            Err(Failure(kind)) => Said::Failed(kind),
        });
    }
}

/// Has objects made and drops them, for that time; then it stays, as an application would.
pub(crate) async fn churn(maker: impl Maker, time: Duration) -> crate::Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        sleep(TURN).await;
        say(&match make_and_drop(&maker).await {
            Ok(name) => Said::Dropped(name),
            Err(Failure(kind)) => Said::Failed(kind),
        });
    }
    say(&Said::Done);
    std::future::pending().await
}

async fn make_and_drop(maker: &impl Maker) -> Result<String, Failure> {
    maker.make().await?.name().await
}

/// Numbers an owner's objects from 1.
pub(crate) struct Numbering {
    life: u32,
    made: AtomicU64,
}

impl Numbering {
    pub(crate) fn new(life: u32) -> Self {
        Self { life, made: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> Name {
        let name = format!("{}.{}", self.life, self.made.fetch_add(1, Ordering::Relaxed) + 1);
        say(&Said::Made(name.clone()));
        Name(name)
    }
}

/// What an owner's object is called, and the word that it is gone.
pub(crate) struct Name(pub(crate) String);

impl Drop for Name {
    fn drop(&mut self) {
        say(&Said::Freed(std::mem::take(&mut self.0)));
    }
}

/// Whoever started this process holds the other end of its input, so nothing outlives it.
pub(crate) fn end_with_input() {
    std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut byte = [0];
        while input.read(&mut byte).is_ok_and(|read| read > 0) {}
        std::process::exit(0)
    });
}

/// One line, at once, also into a pipe. Nobody who reads it is no reason to go on.
pub(crate) fn say(said: &Said) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{said}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_named_after_its_variant() {
        #[derive(Debug)]
        #[allow(dead_code, reason = "read by Debug alone")]
        enum Kind {
            Plain,
            Within(u8),
            Told { reason: &'static str },
        }
        assert_eq!(Failure::of(&Kind::Plain).0, "Plain");
        assert_eq!(Failure::of(&Kind::Within(1)).0, "Within");
        assert_eq!(Failure::of(&Kind::Told { reason: "none" }).0, "Told");
    }
}
