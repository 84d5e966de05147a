//! Hostile peers: whatever a peer sends ends at most its own session, while a good client beside it goes on; and a
//! hostile server cannot do more to a client.
//!
//! The peer here is a plain socket with a writer of its own (`wire`): it knows the protocol and nothing of the library.

mod answers;
mod bodies;
mod cancels;
#[cfg(target_os = "linux")]
mod child;
mod client;
mod frames;
mod givers;
mod hello;
mod impostors;
mod introductions;
mod life;
#[cfg(target_os = "linux")]
mod memory;
mod messages;
mod methods;
mod mutations;
mod outcome;
mod owner;
mod peer;
mod promises;
mod raw_server;
mod redialled;
mod resuming;
mod resumption;
mod servers;
mod stage;
#[cfg(target_os = "linux")]
#[path = "../support/mod.rs"]
mod support;
mod target;
mod vocabulary;
mod wire;

/// Not a test of its own: what the child process does.
#[cfg(target_os = "linux")]
#[test]
fn child() {
    if let Some(role) = support::child::role() {
        assert_eq!(role, child::SERVER);
        child::play();
    }
}
