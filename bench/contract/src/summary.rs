//! The JSON line that ends a client's run: a client writes it, the runner reads it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Workload, latency};

/// The last line of a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// `{"unsupported":true}`: the contestant does not have this workload.
    Unsupported {
        /// Always true.
        unsupported: bool,
    },
    /// The figures of the run.
    Played(Summary),
}

impl Answer {
    /// The answer to a workload that the contestant does not have.
    pub const UNSUPPORTED: Self = Self::Unsupported { unsupported: true };

    /// Parses the line.
    ///
    /// # Errors
    /// Returns an error if the line has neither of the two forms.
    pub fn from_line(line: &str) -> serde_json::Result<Self> {
        serde_json::from_str(line)
    }

    /// Returns the line, without a line break.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("numbers always serialise")
    }
}

/// The figures of one run. Those that do not apply to the workload are null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Operations within the measured time: calls, echoes, objects created, called and dropped, or whole chains.
    pub calls: u64,
    /// The measured time, in seconds.
    pub secs: f64,
    /// The median duration of the timed operations.
    pub p50_ns: Option<u64>,
    /// The 99th percentile of the durations.
    pub p99_ns: Option<u64>,
    /// User data one way, in 10^6 bytes per second.
    pub mb_per_s: Option<f64>,
}

impl Summary {
    /// Computes the figures of a run from the operations counted and the durations taken.
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
        assert_eq!(Answer::from_line(&line).expect("written above"), answer);
    }

    #[test]
    fn figures_may_be_null_or_missing() {
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
    fn an_unsupported_workload_has_its_own_answer() {
        assert_eq!(Answer::UNSUPPORTED.to_line(), r#"{"unsupported":true}"#);
        assert_eq!(
            Answer::from_line(r#"{"unsupported":true}"#).expect("known"),
            Answer::UNSUPPORTED
        );
    }
}
