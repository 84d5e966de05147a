//! The contract: what every contestant does alike. It owns the command line, the warm-up, the `MARK` lines, the clock,
//! the checks of every reply and the JSON line, and must not know how any contestant sends a message.
//!
//! A contestant implements [`Contestant`], [`Connection`] and [`Counter`], and its `main` is one call of [`play`]:
//!
//! ```text
//! BIN serve                             prints `PORT n`, serves until it is killed
//! BIN client PORT WORKLOAD SECONDS      prints `MARK begin`, `MARK end` and one JSON line
//! ```

mod client;
mod command;
pub mod conformance;
mod contestant;
mod hold;
mod latency;
mod load;
mod mark;
mod summary;
mod turns;
mod workload;

#[cfg(test)]
mod fake;

pub use command::play;
pub use contestant::{Connection, Contestant, Counter, Failure, Result};
pub use mark::Mark;
pub use summary::{Answer, Summary};
pub use workload::{UnknownWorkload, Workload};
