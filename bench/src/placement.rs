//! On which cores the processes of a play run. It owns the binding, and must not know who plays.

use clap::ValueEnum;
use contract::{Result, Workload};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Which plays have both processes on one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OneCore {
    /// Only `lat`: on one core it shows the work that a call takes, on two mostly how long a core takes to wake up.
    #[value(name = "lat")]
    Latency,
    /// All of them.
    All,
    /// None of them.
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
    /// Does something, which should be the start of a process, with this thread bound as that process shall be.
    pub(crate) fn within<R>(self, start: impl FnOnce() -> R) -> Result<R> {
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

/// The last core, since interrupts and everything else tend to be on the first.
fn last_of(allowed: &CpuSet) -> Result<CpuSet> {
    let last = (0..CpuSet::MAX_CPU)
        .rev()
        .find(|core| allowed.is_set(*core))
        .ok_or("there is no core to run on")?;
    let mut one = CpuSet::new();
    one.set(last);
    Ok(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_start_sees_one_core_and_leaves_all() {
        let before = sched_getaffinity(None).expect("readable");
        let within = Placement::OneCore
            .within(|| sched_getaffinity(None))
            .expect("bound")
            .expect("readable");
        assert_eq!(within.count(), 1);
        assert!(sched_getaffinity(None).expect("readable") == before);
        assert_eq!(Placement::Anywhere.within(|| 7).expect("unbound"), 7);
    }

    #[test]
    fn only_latency_shares_a_core_unless_told_otherwise() {
        let tput = "tput:16".parse().expect("known");
        assert_eq!(OneCore::Latency.placement(Workload::Latency), Placement::OneCore);
        assert_eq!(OneCore::Latency.placement(tput), Placement::Anywhere);
        assert_eq!(OneCore::All.placement(tput), Placement::OneCore);
        assert_eq!(OneCore::None.placement(Workload::Latency), Placement::Anywhere);
    }
}
