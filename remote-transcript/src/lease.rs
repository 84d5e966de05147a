//! The option `--lease` of servers and clients. It must not know what a lease means: the library does.

use std::fmt;
use std::time::Duration;

/// The shortest and the longest lease, in seconds: long enough for renewals on a slow network, at most a day.
const BOUNDS: std::ops::RangeInclusive<f64> = 0.1..=86_400.0;

/// The option of servers and clients.
#[derive(clap::Args)]
pub(crate) struct Lease {
    /// The time a client may be disconnected, in seconds; the shorter of the server's and the client's value applies
    #[arg(long = "lease", value_name = "SECONDS", default_value = "30", value_parser = parse)]
    pub(crate) term: Duration,
}

/// A text that is not a valid lease.
#[derive(Clone, Debug, PartialEq)]
struct BadLease(String);

fn parse(text: &str) -> Result<Duration, BadLease> {
    let seconds = text.parse().ok().filter(|seconds| BOUNDS.contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| BadLease(text.to_owned()))
}

impl fmt::Display for BadLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, shortest, longest) = (self.0.escape_debug(), BOUNDS.start(), BOUNDS.end());
        write!(f, "`{text}` is not a valid lease: use {shortest} to {longest} seconds")
    }
}

impl std::error::Error for BadLease {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_a_number_of_seconds_within_bounds() {
        assert_eq!(parse("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "soon", "0", "-3", "0.01", "1e300", "inf", "NaN"] {
            assert_eq!(parse(text), Err(BadLease(text.to_owned())));
        }
    }
}
