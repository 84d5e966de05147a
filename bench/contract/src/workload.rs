//! The workloads and how they are written. This file owns their notation and must not know how they are played.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// What the client does to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Workload {
    /// `lat`: one caller adds to one counter, and each call is timed.
    Latency,
    /// `tput:N`: that many tasks add to one counter, over one connection.
    Throughput {
        /// How many calls are in flight.
        tasks: NonZeroU32,
    },
    /// `conns:CxN`: the same over several connections, with that many tasks each.
    Connections {
        /// How many connections.
        connections: NonZeroU32,
        /// How many calls are in flight on each.
        tasks: NonZeroU32,
    },
    /// `echo:BYTESxN`: that many tasks send a plain vector there and back.
    Echo {
        /// How long the vector is.
        bytes: u32,
        /// How many are in flight.
        tasks: NonZeroU32,
    },
    /// `echob:BYTESxN`: the same with the byte-string type.
    EchoBytes {
        /// How long the byte string is.
        bytes: u32,
        /// How many are in flight.
        tasks: NonZeroU32,
    },
    /// `obj:N`: that many tasks make an object, call it once and drop it.
    Objects {
        /// How many such objects live at once.
        tasks: NonZeroU32,
    },
    /// `hold:N`: makes that many objects and keeps them.
    Hold {
        /// How many.
        objects: NonZeroU32,
    },
    /// `chain:N`: that many dependent calls, pipelined.
    Chain {
        /// How many calls, the first and the last included; at least 2.
        calls: NonZeroU32,
    },
    /// `chainseq:N`: that many dependent calls, each awaited.
    ChainAwaited {
        /// How many calls, the first and the last included; at least 2.
        calls: NonZeroU32,
    },
}

impl Workload {
    /// How many bytes of the user's travel one way in one turn, where that is what is measured.
    pub fn payload(self) -> Option<u32> {
        match self {
            Self::Echo { bytes, .. } | Self::EchoBytes { bytes, .. } => Some(bytes),
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
        }
    }
}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(text: &str) -> Result<Self, UnknownWorkload> {
        read(text).ok_or_else(|| UnknownWorkload(text.to_owned()))
    }
}

/// The text names no workload of this contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWorkload(String);

impl fmt::Display for UnknownWorkload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "no such workload: {:?} (there are lat, tput:N, conns:CxN, echo:BYTESxN, echob:BYTESxN, obj:N, hold:N, \
             chain:N and chainseq:N)",
            self.0
        )
    }
}

impl std::error::Error for UnknownWorkload {}

fn read(text: &str) -> Option<Workload> {
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
        "chain" => Workload::Chain { calls: dependent(size)? },
        "chainseq" => Workload::ChainAwaited { calls: dependent(size)? },
        _ => return None,
    })
}

fn pair<A: FromStr, B: FromStr>(size: &str) -> Option<(A, B)> {
    let (left, right) = size.split_once('x')?;
    Some((left.parse().ok()?, right.parse().ok()?))
}

/// A chain has a first and a last call at least.
fn dependent(size: &str) -> Option<NonZeroU32> {
    size.parse().ok().filter(|calls: &NonZeroU32| calls.get() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_is_read_as_it_is_written() {
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
        ];
        for text in all {
            assert_eq!(text.parse::<Workload>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_workload_is_refused_by_its_name() {
        let none = [
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
            "udp:1",
            "tput:99999999999",
        ];
        for text in none {
            let error = text.parse::<Workload>().expect_err(text);
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn sizes_land_in_their_fields() {
        let workload: Workload = "conns:64x16".parse().expect("known");
        let Workload::Connections { connections, tasks } = workload else { panic!("{workload:?}") };
        assert_eq!((connections.get(), tasks.get()), (64, 16));
        assert_eq!("echo:7x2".parse::<Workload>().expect("known").payload(), Some(7));
        assert_eq!(workload.payload(), None);
    }
}
