//! The named sets of contestants and workloads.

use clap::ValueEnum;

/// A set to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// All contestants with separate processes, and the workloads that compare them.
    Default,
    /// Rate and memory as the number of held objects and of idle connections grows.
    Growth,
    /// Near objects and two nodes in one process, beside a `dyn` call without the library.
    InProcess,
    /// The three sets one after another.
    All,
}

/// The contents of a set, in the notation of the command line.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) title: &'static str,
    pub(crate) contestants: &'static [&'static str],
    pub(crate) workloads: &'static [&'static str],
    pub(crate) baseline: &'static str,
}

impl Choice {
    pub(crate) fn sets(self) -> &'static [&'static Set] {
        match self {
            Self::Default => &[&DEFAULT],
            Self::Growth => &[&GROWTH],
            Self::InProcess => &[&IN_PROCESS],
            Self::All => &[&DEFAULT, &GROWTH, &IN_PROCESS],
        }
    }
}

const DEFAULT: Set = Set {
    title: "Between two processes",
    contestants: &[
        "raw",
        "ours",
        "ours-current",
        "ours-unix",
        "tarpc",
        "capnp",
        "tonic",
        "remoc",
        "rmi",
    ],
    workloads: &[
        "lat",
        "tput:16",
        "tput:256",
        "tput:4096",
        "conns:64x16",
        "echo:65536x16",
        "echob:65536x16",
        "echo:1048576x4",
        "echob:1048576x4",
        "obj:1",
        "obj:64",
        "hold:100000",
        "chain:10",
        "chainseq:10",
    ],
    baseline: "raw",
};

const GROWTH: Set = Set {
    title: "Growth",
    contestants: &["raw", "ours"],
    workloads: &[
        "table:1000",
        "table:10000",
        "table:100000",
        "table:1000000",
        "idle:0",
        "idle:100",
        "idle:1000",
        "idle:10000",
    ],
    baseline: "raw",
};

const IN_PROCESS: Set = Set {
    title: "In one process",
    contestants: &["boxed", "ours-near", "ours-memory"],
    workloads: &["tput:1", "tput:16", "obj:1", "echo:65536x1", "echob:65536x1", "chainseq:10"],
    baseline: "boxed",
};

#[cfg(test)]
mod tests {
    use contract::Workload;

    use super::*;
    use crate::contestant::Entry;

    #[test]
    fn all_names_of_all_sets_are_valid() {
        for set in Choice::All.sets() {
            assert!(set.contestants.contains(&set.baseline), "{set:?}");
            assert!(set.contestants.iter().all(|name| name.parse::<Entry>().is_ok()), "{set:?}");
            assert!(set.workloads.iter().all(|text| text.parse::<Workload>().is_ok()), "{set:?}");
        }
    }
}
