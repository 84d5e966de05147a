//! Tests of the session machine: two sessions, a virtual clock, and the properties that the protocol guarantees, one file
//! for each; then random schedules and corrupted input.
//!
//! No test here sleeps or opens a socket. The invariants of every table are checked after each step (`audit`).

mod application;
mod audit;
mod forger;
mod pair;
mod random;

mod breaches;
mod cancellation;
mod damage;
mod ending;
mod inspection;
mod lease;
mod names;
mod order;
mod promises;
mod references;
mod schedule;
mod simulation;
mod time;
mod windows;
mod world;
mod writing;
