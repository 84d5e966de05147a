//! Distributed garbage collection between real processes: the effects of a pause, a kill, a restart, a lost network and
//! a changed clock on references.
//!
//! Each test is a scenario named after what happens. Its processes are children of the test, which sends them commands
//! on connections of their own (`stage`). The connections under test are those between the children, with leases of a
//! few seconds.
#![cfg(target_os = "linux")]

mod actor;
mod clocks;
mod cycles;
mod handoff;
mod holders;
mod load;
mod network;
mod owners;
mod ring;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod things;

/// The entry point of child processes; not a test.
#[test]
fn child() {
    let Some(role) = support::child::role() else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async move {
        match role.as_str() {
            "actor" => actor::play().await,
            "worker" => load::work().await,
            other => panic!("nobody plays {other}"),
        }
    });
}
