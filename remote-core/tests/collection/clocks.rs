//! The scenario of the wall clock: setting it by a day, in either direction or repeatedly, has no effect.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::setup::{FREED, Participant, TERM, terms};
use super::support::within;

/// A wall clock that can be set, for processes that are started with it.
struct Clock {
    library: PathBuf,
    offset: PathBuf,
}

impl Clock {
    /// Returns `None` if the library that sets it is not installed.
    fn find(name: &str) -> Option<Clock> {
        let places = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(Path::new);
        let below = places.iter().filter_map(|place| place.read_dir().ok()).flatten().flatten();
        let folders = places.iter().map(|place| place.to_path_buf());
        let library = folders
            .chain(below.map(|entry| entry.path()))
            .flat_map(|folder| {
                [folder.join("faketime/libfaketime.so.1"), folder.join("libfaketime.so.1")]
            })
            .find(|library| library.exists())?;
        let offset = std::env::temp_dir().join(format!("remote-{name}-{}", std::process::id()));
        let clock = Clock { library, offset };
        clock.set(0);
        Some(clock)
    }

    /// Sets the clock off by this number of seconds.
    fn set(&self, offset: i64) {
        // Atomically, because processes read it meanwhile.
        let written = self.offset.with_extension("new");
        std::fs::write(&written, format!("{offset:+}\n")).unwrap();
        std::fs::rename(&written, &self.offset).unwrap();
    }

    /// Starts a process with this clock. Its monotonic clock is not changed: a wall clock that is set does not change
    /// it either.
    async fn participant(&self) -> Participant {
        let (library, offset) = (self.library.to_str().unwrap(), self.offset.to_str().unwrap());
        let settings = [
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", offset),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        Participant::start_with(&settings).await
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.offset);
    }
}

const DAY: i64 = 24 * 60 * 60;

/// G12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_clock_that_is_set_has_no_effect() {
    let (Some(owners), Some(holders)) = (Clock::find("owner-clock"), Clock::find("holder-clock"))
    else {
        // Written directly, because the harness hides the output of a test that passes.
        let hint = "install libfaketime (`apt-get install faketime`)";
        writeln!(std::io::stderr(), "\n!!! SKIPPED: the wall clock cannot be set; {hint}\n")
            .unwrap();
        return;
    };
    let (owner, mut holder) = (owners.participant().await, holders.participant().await);
    within(holder.control.fetch(&owner.workshop(), 3)).await.unwrap();
    let numbers = holder.ask_all(3).await;
    let began = owner.report().await.wall_clock as i64;
    let settings = [(DAY, 0), (-DAY, 0), (0, DAY), (0, -DAY), (DAY, -DAY), (-DAY, DAY)];
    for (owners_offset, holders_offset) in settings {
        owners.set(owners_offset);
        holders.set(holders_offset);
        let set = Instant::now();
        let off = owner.report().await.wall_clock as i64 - began - owners_offset;
        assert!((0..600).contains(&off), "it is set: off by {off} s");
        while set.elapsed() < terms(30) {
            assert_eq!(holder.ask_all(3).await, numbers);
            tokio::time::sleep(terms(5)).await;
        }
    }
    // The clock is set repeatedly.
    let begun = Instant::now();
    let mut offset = DAY;
    while begun.elapsed() < terms(130) {
        owners.set(offset);
        holders.set(-offset);
        offset = -offset;
        assert_eq!(holder.ask_all(3).await, numbers);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let report = owner.report().await;
    assert_eq!((report.alive, report.sessions.len(), report.is_connected), (3, 1, true));
    // The lease is neither longer nor shorter.
    holder.process.kill();
    let killed = Instant::now();
    owners.set(-DAY);
    tokio::time::sleep(TERM / 2).await;
    owners.set(DAY);
    let report = owner.report().await;
    assert_eq!(report.alive, 3, "half a term is no term");
    owners.set(-DAY);
    owner.until_free(killed, FREED).await;
}
