//! Hostile peers: whatever a peer sends, it ends at most its own session, while an honest client beside it is served;
//! and a hostile server can do no more to a client.
//!
//! The peer is a plain socket with its own encoder (`wire`): it knows the protocol, and uses nothing of the library.

mod answers;
mod bodies;
mod cancels;
#[cfg(target_os = "linux")]
mod child;
mod client;
mod closing;
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
mod setup;
#[cfg(target_os = "linux")]
#[path = "../support/mod.rs"]
mod support;
mod target;
mod vocabulary;
mod wire;

/// The entry point of the child process; not a test.
#[cfg(target_os = "linux")]
#[test]
fn child() {
    if let Some(role) = support::child::role() {
        assert_eq!(role, child::SERVER);
        child::serve_target();
    }
}
