//! The cores that the processes of a play run on.

use clap::ValueEnum;
use contract::{Result, Workload};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The plays that have both processes on one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OneCore {
    /// Only `lat`: on one core its latency is the work of a call, on two it is mostly the time a core takes to wake up.
    #[value(name = "lat")]
    Latency,
    /// All plays.
    All,
    /// No play.
    None,
}

impl OneCore {
    pub(crate) fn placement(self, workload: Workload) -> Placement {
        match self {
            Self::Latency if workload == Workload::Latency => Placement::OneCore,
            Self::All => Placement::OneCore,
            Self::Latency | Self::None => Placement::Anywhere,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    Anywhere,
    OneCore,
}

impl Placement {
    /// Calls `start` with this thread bound to the cores. A process started meanwhile inherits the binding.
    pub(crate) fn during<R>(self, start: impl FnOnce() -> R) -> Result<R> {
        if self == Self::Anywhere {
            return Ok(start());
        }
        let allowed = sched_getaffinity(None)?;
        sched_setaffinity(None, &last_of(&allowed)?)?;
        let started = start();
        sched_setaffinity(None, &allowed)?;
        Ok(started)
    }
}

/// Returns the last core: interrupts and other processes tend to be on the first.
fn last_of(allowed: &CpuSet) -> Result<CpuSet> {
    let last = (0..CpuSet::MAX_CPU)
        .rev()
        .find(|core| allowed.is_set(*core))
        .ok_or("the affinity mask is empty")?;
    let mut one = CpuSet::new();
    one.set(last);
    Ok(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_ends_with_the_call() {
        let before = sched_getaffinity(None).expect("readable");
        let within = Placement::OneCore
            .during(|| sched_getaffinity(None))
            .expect("bound")
            .expect("readable");
        assert_eq!(within.count(), 1);
        assert!(sched_getaffinity(None).expect("readable") == before);
        assert_eq!(Placement::Anywhere.during(|| 7).expect("unbound"), 7);
    }

    #[test]
    fn by_default_only_latency_has_one_core() {
        let tput = "tput:16".parse().expect("known");
        assert_eq!(OneCore::Latency.placement(Workload::Latency), Placement::OneCore);
        assert_eq!(OneCore::Latency.placement(tput), Placement::Anywhere);
        assert_eq!(OneCore::All.placement(tput), Placement::OneCore);
        assert_eq!(OneCore::None.placement(Workload::Latency), Placement::Anywhere);
    }
}
