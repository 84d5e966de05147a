//! The figures of one play: a number for each measure.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Summary, Workload};

use crate::probe::Probe;

/// A quantity that a play yields. Which of them it yields depends on the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// Operations per second.
    Rate,
    /// Bytes of user data per second, one way.
    Volume,
    /// Median duration of an operation, in seconds.
    Median,
    /// 99th percentile of the durations, in seconds.
    Tail,
    /// CPU seconds of both processes per operation.
    Cpu,
    /// Bytes of server memory per held object or connection.
    ServerMemory,
    /// Bytes of client memory per held object or connection.
    ClientMemory,
    /// CPU seconds of both processes per second without calls.
    Idle,
}

pub(crate) type Figures = BTreeMap<Measure, f64>;

/// Readings of both processes at one mark.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) server: Probe,
    pub(crate) client: Probe,
}

impl Reading {
    fn cpu(&self) -> f64 {
        (self.server.cpu + self.client.cpu).as_secs_f64()
    }
}

/// Two readings, and the time between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) begin: Reading,
    pub(crate) end: Reading,
    pub(crate) length: Duration,
}

impl Span {
    fn cpu(&self) -> f64 {
        self.end.cpu() - self.begin.cpu()
    }
}

/// The spans of a play.
pub(crate) struct Spans {
    /// The measured time.
    pub(crate) measured: Span,
    /// The time in which everything was created that is then held.
    pub(crate) creating: Option<Span>,
    /// The time in which it was held without calls.
    pub(crate) idle: Option<Span>,
}

/// Computes the figures from the client's summary and the spans.
pub(crate) fn figures(workload: Workload, summary: &Summary, spans: &Spans) -> Figures {
    let calls = summary.calls as f64;
    let mut figures = Figures::from([
        (Measure::Rate, calls / summary.secs),
        (Measure::Cpu, spans.measured.cpu() / calls),
    ]);
    figures.extend(summary.mb_per_s.map(|megabytes| (Measure::Volume, megabytes * 1e6)));
    figures.extend(summary.p50_ns.map(|nanoseconds| (Measure::Median, nanoseconds as f64 / 1e9)));
    figures.extend(summary.p99_ns.map(|nanoseconds| (Measure::Tail, nanoseconds as f64 / 1e9)));
    if let (Some(Span { begin, end, .. }), Some(held)) = (spans.creating, workload.held()) {
        let each =
            |begin: Probe, end: Probe| (end.memory as f64 - begin.memory as f64) / f64::from(held);
        figures.insert(Measure::ServerMemory, each(begin.server, end.server));
        figures.insert(Measure::ClientMemory, each(begin.client, end.client));
    }
    figures.extend(spans.idle.map(|idle| (Measure::Idle, idle.cpu() / idle.length.as_secs_f64())));
    figures.retain(|_, value| value.is_finite());
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cpu: u64, memory: u64) -> Reading {
        let probe = Probe { cpu: Duration::from_millis(cpu), memory };
        Reading { server: probe, client: Probe { memory: memory * 3, ..probe } }
    }

    fn span(begin: Reading, end: Reading) -> Span {
        Span { begin, end, length: Duration::from_secs(2) }
    }

    fn summary(calls: u64) -> Summary {
        Summary { calls, secs: 2.0, p50_ns: Some(1_000), p99_ns: None, mb_per_s: None }
    }

    #[test]
    fn cpu_time_is_that_of_both_processes() {
        let measured = span(reading(100, 5), reading(600, 9));
        let spans = Spans { measured, creating: None, idle: None };
        let figures = figures(Workload::Latency, &summary(1_000), &spans);
        let expected = [(Measure::Rate, 500.0), (Measure::Median, 1e-6), (Measure::Cpu, 1e-3)];
        assert_eq!(figures, Figures::from(expected));
    }

    #[test]
    fn memory_is_divided_by_the_number_of_references() {
        let measured = span(reading(0, 0), reading(0, 0));
        let spans = Spans {
            measured,
            creating: Some(span(reading(0, 1_000), reading(0, 6_000))),
            idle: Some(span(reading(0, 0), reading(10, 0))),
        };
        for workload in ["hold:100", "table:100", "idle:100"] {
            let figures = figures(workload.parse().expect("known"), &summary(7), &spans);
            assert_eq!(
                (figures[&Measure::ServerMemory], figures[&Measure::ClientMemory]),
                (50.0, 150.0)
            );
            assert_eq!(figures[&Measure::Idle], 0.01);
        }
        let none = figures("idle:0".parse().expect("known"), &summary(7), &spans);
        assert!(!none.contains_key(&Measure::ServerMemory));
    }

    #[test]
    fn without_operations_there_is_no_figure_per_operation() {
        let measured = span(reading(0, 0), reading(10, 0));
        let spans = Spans { measured, creating: None, idle: None };
        let figures = figures(Workload::Latency, &summary(0), &spans);
        assert!(!figures.contains_key(&Measure::Cpu));
        assert_eq!(figures[&Measure::Rate], 0.0);
    }
}
