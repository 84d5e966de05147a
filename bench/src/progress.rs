//! Progress on stderr: a bar in a terminal, otherwise one line for each round.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

pub(crate) struct Progress {
    /// Hidden unless stderr is a terminal.
    bar: ProgressBar,
    rounds: u32,
    per_round: usize,
    ended: usize,
    begun: Instant,
}

impl Progress {
    pub(crate) fn new(rounds: u32, per_round: usize) -> Self {
        let bar = ProgressBar::new(u64::from(rounds) * per_round as u64);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
        bar.set_style(style.expect("a valid template"));
        Self { bar, rounds, per_round, ended: 0, begun: Instant::now() }
    }

    /// Shows the play that begins.
    pub(crate) fn begin(&self, play: &str) {
        let per_round = self.per_round.max(1);
        let round = format!("round {} of {}", self.ended / per_round + 1, self.rounds);
        let all = self.rounds as usize * self.per_round;
        let remaining = remaining(self.ended, all, self.begun.elapsed())
            .map(|remaining| format!(", about {} left", HumanDuration(remaining)))
            .unwrap_or_default();
        self.bar.set_message(format!("{round}{remaining}: {play}"));
        if self.bar.is_hidden() && self.ended.is_multiple_of(per_round) {
            eprintln!("{round}{remaining}");
        }
    }

    /// Counts the play as ended.
    pub(crate) fn end(&mut self) {
        self.ended += 1;
        self.bar.inc(1);
    }

    /// Prints a line without disturbing the bar.
    pub(crate) fn report(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Estimates the remaining time from the time that the ended plays took.
fn remaining(ended: usize, all: usize, elapsed: Duration) -> Option<Duration> {
    let each = elapsed.checked_div(u32::try_from(ended).ok()?)?;
    Some(each * u32::try_from(all - ended).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_is_proportional() {
        assert_eq!(remaining(0, 10, Duration::from_secs(1)), None);
        assert_eq!(remaining(2, 10, Duration::from_secs(6)), Some(Duration::from_secs(24)));
        assert_eq!(remaining(10, 10, Duration::from_secs(6)), Some(Duration::ZERO));
    }
}
