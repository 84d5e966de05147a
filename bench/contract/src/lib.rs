//! The contract of the benchmark: everything that all contestants share, so that they differ only in what is measured.
//!
//! The crate contains the command line, the workloads, the load and the clock, the `MARK` lines, the check of each reply, and
//! the JSON line at the end. A contestant implements [`Contestant`], [`Connection`] and [`Counter`], and its `main` is one
//! call of [`play`]:
//!
//! ```text
//! BIN serve                             prints `PORT n`, serves until it is killed
//! BIN client PORT WORKLOAD SECONDS      prints `MARK begin`, `MARK end` and one JSON line
//! ```

mod client;
mod command;
pub mod conformance;
mod contestant;
mod growth;
mod hold;
mod latency;
mod load;
mod mark;
mod operation;
mod summary;
mod workload;

#[cfg(test)]
mod fake;

pub use command::{Flavor, play, play_with};
pub use contestant::{Connection, Contestant, Counter, Failure, Result};
pub use mark::Mark;
pub use summary::{Answer, Summary};
pub use workload::{UnknownWorkload, Workload};
