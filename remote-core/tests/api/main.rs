//! Tests of the library's guarantees through its public interface, one file for each subject.
//!
//! They are one binary, which is linked once, and in which tests that wait leave the cores to the others.

mod calls;
mod datagrams;
mod deadlines;
mod failures;
mod interfaces;
mod leases;
mod life;
mod limits;
mod links;
mod messages;
mod nesting;
mod panics;
#[cfg(target_os = "linux")]
mod peer_processes;
mod pipelining;
mod processes;
mod relay;
mod replies;
mod runtimes;
mod serial;
mod sessions;
mod shutdown;
mod signatures;
mod sockets;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod ui;
mod wakers;

/// The entry point of child processes; not a test.
#[test]
fn child() {
    let Some(role) = support::child::role() else { return };
    match role.as_str() {
        "adder" => processes::add(),
        "alert server" => processes::serve(processes::alert()),
        #[cfg(target_os = "linux")]
        "controller" => sockets::processes::control(),
        #[cfg(target_os = "linux")]
        "gateway" => sockets::processes::give_sockets(),
        #[cfg(target_os = "linux")]
        "house" => peer_processes::serve(),
        "keeper" => datagrams::serve(),
        #[cfg(target_os = "linux")]
        "office" => streams::processes::serve(),
        "part server" => links::serve(),
        "sender" => shutdown::send_and_return(),
        "server" => processes::serve(remote_core::Limits::default()),
        "till server" => signatures::serve(),
        #[cfg(target_os = "linux")]
        "visitor" => peer_processes::visit(),
        other => panic!("there is no role {other}"),
    }
}
