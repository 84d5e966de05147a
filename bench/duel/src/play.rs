//! The parts that the contestants in Rust share: the loops of holder and churner, and the reports of an owner's objects.
//!
//! It must not know how a call is sent.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::report::Report;

/// The pause between two calls.
const INTERVAL: Duration = Duration::from_millis(200);

/// A far object that creates others.
pub(crate) trait Maker {
    type Item: Item;

    async fn make(&self) -> Result<Self::Item, Failure>;
}

/// A reference to a far object. Dropping it releases the object.
pub(crate) trait Item {
    async fn name(&self) -> Result<String, Failure>;
}

/// The error of a call, as one word.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// Returns the name of the variant, which is the first word of the `Debug` output.
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

/// Requests one object and calls it repeatedly, whatever happens. Never looks it up again.
pub(crate) async fn hold(maker: impl Maker) -> crate::Result<()> {
    let item = maker.make().await?;
    let own = item.name().await?;
    report(&Report::Holds(own.clone()));
    loop {
        sleep(INTERVAL).await;
        report(&match item.name().await {
            Ok(name) if name == own => Report::Alive,
            Ok(name) => Report::Wrong(name),
            Err(Failure(kind)) => Report::Failed(kind),
        });
    }
}

/// Requests objects and drops them, for a time; then keeps running, as an application would.
pub(crate) async fn churn(maker: impl Maker, time: Duration) -> crate::Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        sleep(INTERVAL).await;
        report(&match make_and_drop(&maker).await {
            Ok(name) => Report::Dropped(name),
            Err(Failure(kind)) => Report::Failed(kind),
        });
    }
    report(&Report::Done);
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
        report(&Report::Made(name.clone()));
        Name(name)
    }
}

/// The name of an owner's object. Reports when it is dropped.
pub(crate) struct Name(pub(crate) String);

impl Drop for Name {
    fn drop(&mut self) {
        report(&Report::Freed(std::mem::take(&mut self.0)));
    }
}

/// Exits at the end of standard input. The parent process has the other end, so that no process outlives it.
pub(crate) fn end_with_input() {
    std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut byte = [0];
        while input.read(&mut byte).is_ok_and(|read| read > 0) {}
        std::process::exit(0)
    });
}

/// Writes and flushes one report. Exits if the reader is gone.
pub(crate) fn report(report: &Report) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{report}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_name_of_its_variant() {
        #[derive(Debug)]
        #[allow(dead_code, reason = "read by Debug alone")]
        enum Kind {
            Plain,
            Within(u8),
            Struct { reason: &'static str },
        }
        assert_eq!(Failure::of(&Kind::Plain).0, "Plain");
        assert_eq!(Failure::of(&Kind::Within(1)).0, "Within");
        assert_eq!(Failure::of(&Kind::Struct { reason: "none" }).0, "Struct");
    }
}
