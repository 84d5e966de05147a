//! Distributed collection between real processes: what a pause, a kill, a restart, a cut of the network or a set clock may
//! do to references, and what it must not.
//!
//! Each test is a scenario named after what happens. Its processes are children of the test, which it directs through
//! connections of their own (`stage`); what is under test happens between them, with leases of a few seconds.
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

/// Not a test of its own: what the children do.
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
