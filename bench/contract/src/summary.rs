//! The JSON line that ends a client's run. This file owns its form, for the contestant who writes it and the runner who
//! reads it, and must not know how the figures came about.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Workload, latency};

/// What a client says at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// `{"unsupported":true}`: not a workload that it knows.
    Unsupported {
        /// Always true.
        unsupported: bool,
    },
    /// The figures of the run.
    Played(Summary),
}

impl Answer {
    /// The answer to a workload that the contestant does not know.
    pub const UNSUPPORTED: Self = Self::Unsupported { unsupported: true };

    /// Reads the line.
    pub fn from_line(line: &str) -> serde_json::Result<Self> {
        serde_json::from_str(line)
    }

    /// Writes the line, without its end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("numbers always serialise")
    }
}

/// The figures of one run. Those that a workload has none of are null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How often the workload was gone through within the measured time: one call, one echo, one object made, called
    /// and dropped, or one whole chain.
    pub calls: u64,
    /// The measured time, in seconds.
    pub secs: f64,
    /// Half of what was timed took no longer than this.
    pub p50_ns: Option<u64>,
    /// 99 % of what was timed took no longer than this.
    pub p99_ns: Option<u64>,
    /// User data one way, in 10^6 bytes a second.
    pub mb_per_s: Option<f64>,
}

impl Summary {
    /// Draws up the figures of a run from what was counted and timed.
    pub(crate) fn new(
        workload: Workload,
        calls: u64,
        length: Duration,
        mut latencies: Vec<u64>,
    ) -> Self {
        latencies.sort_unstable();
        let secs = length.as_secs_f64();
        Self {
            calls,
            secs,
            p50_ns: latency::percentile(&latencies, 50),
            p99_ns: latency::percentile(&latencies, 99),
            mb_per_s: workload.payload().map(|bytes| f64::from(bytes) * calls as f64 / secs / 1e6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_keys_of_the_contract() {
        let workload = "echo:1000x1".parse().expect("known");
        let summary = Summary::new(workload, 2_000, Duration::from_millis(500), vec![30, 10, 20]);
        let answer = Answer::Played(summary);
        let line = answer.to_line();
        assert_eq!(line, r#"{"calls":2000,"secs":0.5,"p50_ns":20,"p99_ns":30,"mb_per_s":4.0}"#);
        assert_eq!(Answer::from_line(&line).expect("our own line"), answer);
    }

    #[test]
    fn figures_that_were_not_taken_may_be_null_or_left_out() {
        let answer =
            Answer::Played(Summary::new(Workload::Latency, 0, Duration::from_secs(1), Vec::new()));
        assert_eq!(
            answer.to_line(),
            r#"{"calls":0,"secs":1.0,"p50_ns":null,"p99_ns":null,"mb_per_s":null}"#
        );
        assert_eq!(Answer::from_line(r#"{"calls":0,"secs":1}"#).expect("enough"), answer);
        assert!(Answer::from_line(r#"{"calls":0}"#).is_err());
        assert!(Answer::from_line("calls: 3").is_err());
    }

    #[test]
    fn an_unknown_workload_has_its_own_answer() {
        assert_eq!(Answer::UNSUPPORTED.to_line(), r#"{"unsupported":true}"#);
        assert_eq!(
            Answer::from_line(r#"{"unsupported":true}"#).expect("known"),
            Answer::UNSUPPORTED
        );
    }
}
