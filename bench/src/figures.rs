//! What one play yields: a number for each measure. It owns the measures and how they are worked out, and must not know
//! how they are compared or shown.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Summary, Workload};

use crate::probe::Probe;

/// What can be said of a play. Each is one number; which of them there are depends on the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// Turns a second.
    Rate,
    /// Bytes of the user's a second, one way.
    Volume,
    /// Seconds that half of the turns kept within.
    Median,
    /// Seconds that 99 % of the turns kept within.
    Tail,
    /// CPU seconds of both processes for one turn.
    Cpu,
    /// Bytes of the server for one object that is held.
    ServerMemory,
    /// Bytes of the client for one object that is held.
    ClientMemory,
    /// CPU seconds of both processes for one second of nothing but holding.
    Idle,
}

pub(crate) type Figures = BTreeMap<Measure, f64>;

/// Both processes at one mark.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Look {
    pub(crate) server: Probe,
    pub(crate) client: Probe,
}

impl Look {
    fn cpu(&self) -> f64 {
        (self.server.cpu + self.client.cpu).as_secs_f64()
    }
}

/// Two looks, at the beginning and at the end of something.
pub(crate) struct Span {
    pub(crate) begin: Look,
    pub(crate) end: Look,
}

impl Span {
    fn cpu(&self) -> f64 {
        self.end.cpu() - self.begin.cpu()
    }
}

/// Works the figures out from what the client says and what was seen; `idle` is how long objects were only held.
pub(crate) fn figures(
    workload: Workload,
    summary: &Summary,
    measured: &Span,
    idle: Option<(&Span, Duration)>,
) -> Figures {
    let calls = summary.calls as f64;
    let mut figures = Figures::from([
        (Measure::Rate, calls / summary.secs),
        (Measure::Cpu, measured.cpu() / calls),
    ]);
    figures.extend(summary.mb_per_s.map(|megabytes| (Measure::Volume, megabytes * 1e6)));
    figures.extend(summary.p50_ns.map(|nanoseconds| (Measure::Median, nanoseconds as f64 / 1e9)));
    figures.extend(summary.p99_ns.map(|nanoseconds| (Measure::Tail, nanoseconds as f64 / 1e9)));
    if let Workload::Hold { .. } = workload {
        let grown = |begin: Probe, end: Probe| (end.memory as f64 - begin.memory as f64) / calls;
        figures.insert(Measure::ServerMemory, grown(measured.begin.server, measured.end.server));
        figures.insert(Measure::ClientMemory, grown(measured.begin.client, measured.end.client));
    }
    figures.extend(idle.map(|(span, length)| (Measure::Idle, span.cpu() / length.as_secs_f64())));
    figures.retain(|_, value| value.is_finite());
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(cpu: u64, memory: u64) -> Look {
        let probe = Probe { cpu: Duration::from_millis(cpu), memory };
        Look { server: probe, client: Probe { memory: memory * 3, ..probe } }
    }

    fn summary(calls: u64) -> Summary {
        Summary { calls, secs: 2.0, p50_ns: Some(1_000), p99_ns: None, mb_per_s: None }
    }

    #[test]
    fn both_processes_pay_for_a_turn() {
        let measured = Span { begin: look(100, 5), end: look(600, 9) };
        let figures = figures(Workload::Latency, &summary(1_000), &measured, None);
        let expected = [(Measure::Rate, 500.0), (Measure::Median, 1e-6), (Measure::Cpu, 1e-3)];
        assert_eq!(figures, Figures::from(expected));
    }

    #[test]
    fn held_objects_have_a_weight() {
        let measured = Span { begin: look(0, 1_000), end: look(0, 6_000) };
        let idle = Span { begin: look(0, 0), end: look(10, 0) };
        let hold = "hold:100".parse().expect("known");
        let figures =
            figures(hold, &summary(100), &measured, Some((&idle, Duration::from_secs(2))));
        assert_eq!(
            (figures[&Measure::ServerMemory], figures[&Measure::ClientMemory]),
            (50.0, 150.0)
        );
        assert_eq!(figures[&Measure::Idle], 0.01);
    }

    #[test]
    fn nothing_done_yields_no_figure_for_one_turn() {
        let measured = Span { begin: look(0, 0), end: look(10, 0) };
        let figures = figures(Workload::Latency, &summary(0), &measured, None);
        assert!(!figures.contains_key(&Measure::Cpu));
        assert_eq!(figures[&Measure::Rate], 0.0);
    }
}
