//! Two sessions, a virtual clock, and what the protocol promises: one file a promise, then random schedules and damage.
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
mod lease;
mod names;
mod order;
mod promises;
mod references;
mod schedule;
mod sight;
mod simulation;
mod time;
mod windows;
mod world;
mod writing;
