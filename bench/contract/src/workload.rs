//! The workloads and their notation.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The operations that the client performs on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Workload {
    /// `lat`: one caller adds to one counter, and each call is timed.
    Latency,
    /// `tput:N`: N tasks add to one counter, over one connection.
    Throughput {
        /// Number of calls in flight.
        tasks: NonZeroU32,
    },
    /// `conns:CxN`: the same over C connections, with N tasks each.
    Connections {
        /// Number of connections.
        connections: NonZeroU32,
        /// Number of calls in flight on each connection.
        tasks: NonZeroU32,
    },
    /// `echo:BYTESxN`: N tasks send a plain vector to the server and back.
    Echo {
        /// Length of the vector.
        bytes: u32,
        /// Number of calls in flight.
        tasks: NonZeroU32,
    },
    /// `echob:BYTESxN`: the same with the byte-string type.
    EchoBytes {
        /// Length of the byte string.
        bytes: u32,
        /// Number of calls in flight.
        tasks: NonZeroU32,
    },
    /// `obj:N`: N tasks create an object, call it once and drop it.
    Objects {
        /// Number of tasks, and so of such objects at a time.
        tasks: NonZeroU32,
    },
    /// `hold:N`: creates N objects and keeps them.
    Hold {
        /// Number of objects.
        objects: NonZeroU32,
    },
    /// `chain:N`: N dependent calls, pipelined.
    Chain {
        /// Number of calls, including the first and the last; at least 2.
        calls: NonZeroU32,
    },
    /// `chainseq:N`: N dependent calls, each awaited.
    ChainAwaited {
        /// Number of calls, including the first and the last; at least 2.
        calls: NonZeroU32,
    },
    /// `table:N`: [`Workload::GROWTH_TASKS`] tasks add to one of N objects that the client holds.
    Table {
        /// Number of objects.
        objects: NonZeroU32,
    },
    /// `idle:N`: [`Workload::GROWTH_TASKS`] tasks add to one counter, over one connection beside N idle ones.
    Idle {
        /// Number of idle connections.
        connections: u32,
    },
}

impl Workload {
    /// Calls in flight in `table` and `idle`.
    pub const GROWTH_TASKS: NonZeroU32 = NonZeroU32::new(16).unwrap();

    /// Returns the bytes of user data that one operation sends one way, if the workload measures that.
    pub fn payload(self) -> Option<u32> {
        match self {
            Self::Echo { bytes, .. } | Self::EchoBytes { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// Returns the number of objects or connections that are held while the workload measures.
    pub fn held(self) -> Option<u32> {
        match self {
            Self::Hold { objects } | Self::Table { objects } => Some(objects.get()),
            Self::Idle { connections } => Some(connections),
            _ => None,
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency => write!(out, "lat"),
            Self::Throughput { tasks } => write!(out, "tput:{tasks}"),
            Self::Connections { connections, tasks } => write!(out, "conns:{connections}x{tasks}"),
            Self::Echo { bytes, tasks } => write!(out, "echo:{bytes}x{tasks}"),
            Self::EchoBytes { bytes, tasks } => write!(out, "echob:{bytes}x{tasks}"),
            Self::Objects { tasks } => write!(out, "obj:{tasks}"),
            Self::Hold { objects } => write!(out, "hold:{objects}"),
            Self::Chain { calls } => write!(out, "chain:{calls}"),
            Self::ChainAwaited { calls } => write!(out, "chainseq:{calls}"),
            Self::Table { objects } => write!(out, "table:{objects}"),
            Self::Idle { connections } => write!(out, "idle:{connections}"),
        }
    }
}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(text: &str) -> Result<Self, UnknownWorkload> {
        parse(text).ok_or_else(|| UnknownWorkload(text.to_owned()))
    }
}

/// The text is not the notation of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWorkload(String);

impl fmt::Display for UnknownWorkload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "unknown workload {:?}; use lat, tput:N, conns:CxN, echo:BYTESxN, echob:BYTESxN, obj:N, hold:N, chain:N, \
             chainseq:N, table:N or idle:N",
            self.0
        )
    }
}

impl std::error::Error for UnknownWorkload {}

fn parse(text: &str) -> Option<Workload> {
    let (name, size) = text.split_once(':').unwrap_or((text, ""));
    Some(match name {
        "lat" if text == name => Workload::Latency,
        "tput" => Workload::Throughput { tasks: size.parse().ok()? },
        "conns" => {
            let (connections, tasks) = pair(size)?;
            Workload::Connections { connections, tasks }
        }
        "echo" => {
            let (bytes, tasks) = pair(size)?;
            Workload::Echo { bytes, tasks }
        }
        "echob" => {
            let (bytes, tasks) = pair(size)?;
            Workload::EchoBytes { bytes, tasks }
        }
        "obj" => Workload::Objects { tasks: size.parse().ok()? },
        "hold" => Workload::Hold { objects: size.parse().ok()? },
        "chain" => Workload::Chain { calls: chain_length(size)? },
        "chainseq" => Workload::ChainAwaited { calls: chain_length(size)? },
        "table" => Workload::Table { objects: size.parse().ok()? },
        "idle" => Workload::Idle { connections: size.parse().ok()? },
        _ => return None,
    })
}

fn pair<A: FromStr, B: FromStr>(size: &str) -> Option<(A, B)> {
    let (left, right) = size.split_once('x')?;
    Some((left.parse().ok()?, right.parse().ok()?))
}

/// Parses the length of a chain, which has at least a first and a last call.
fn chain_length(size: &str) -> Option<NonZeroU32> {
    size.parse().ok().filter(|calls: &NonZeroU32| calls.get() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_round_trips() {
        let all = [
            "lat",
            "tput:256",
            "conns:64x16",
            "echo:65536x8",
            "echo:0x1",
            "echob:1048576x4",
            "obj:64",
            "hold:100000",
            "chain:2",
            "chainseq:10",
            "table:1000000",
            "idle:0",
            "idle:10000",
        ];
        for text in all {
            assert_eq!(text.parse::<Workload>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn unknown_notation_is_refused_and_named() {
        let unknown = [
            "",
            "lat:1",
            "lat:",
            "tput",
            "tput:0",
            "tput:-1",
            "tput:x",
            "conns:64",
            "conns:0x1",
            "conns:1x",
            "echo:1",
            "echo:1x0",
            "obj:",
            "hold:0",
            "chain:1",
            "chainseq:0",
            "table:0",
            "idle:",
            "udp:1",
            "tput:99999999999",
        ];
        for text in unknown {
            let error = text.parse::<Workload>().expect_err(text);
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn sizes_are_parsed_into_their_fields() {
        let workload: Workload = "conns:64x16".parse().expect("known");
        let Workload::Connections { connections, tasks } = workload else { panic!("{workload:?}") };
        assert_eq!((connections.get(), tasks.get()), (64, 16));
        assert_eq!((workload.payload(), workload.held()), (None, None));
        assert_eq!("echo:7x2".parse::<Workload>().expect("known").payload(), Some(7));
        for (text, held) in [("hold:5", 5), ("table:6", 6), ("idle:0", 0)] {
            assert_eq!(text.parse::<Workload>().expect(text).held(), Some(held));
        }
    }
}
