//! Distributed garbage collection between real processes: the effects of a pause, a kill, a restart, a lost network and
//! a changed clock on references.
//!
//! Each test is a scenario named after what happens. Its processes are children of the test, which sends them commands
//! on connections of their own (`setup`). The connections under test are those between the children, with leases of a
//! few seconds.
#![cfg(target_os = "linux")]

mod clocks;
mod cycles;
mod handoff;
mod holders;
mod load;
mod network;
mod objects;
mod owners;
mod participant;
mod ring;
mod setup;
#[path = "../support/mod.rs"]
mod support;

/// The entry point of child processes; not a test.
#[test]
fn child() {
    let Some(role) = support::child::role() else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async move {
        match role.as_str() {
            "participant" => participant::serve().await,
            "worker" => load::work().await,
            other => panic!("there is no role {other}"),
        }
    });
}
