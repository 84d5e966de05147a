//! The manual, in reading order. Every example is complete, and is run by `cargo test --doc -p remote-core`.
//!
//! | to begin | |
//! |---|---|
//! | [`getting_started`] | two programs, two processes |
//! | [`interfaces`] | interfaces, classes, methods; changing an interface |
//! | [`values`] | what can be passed by value |
//! | [`polymorphic_values`] | values of several classes; classes in libraries |
//! | [`references`] | callbacks, identity, how long an object lives |
//! | [`errors`] | which error type to choose, and how an error is read |
//!
//! | to run | |
//! |---|---|
//! | [`servers`] | a server that stays up; shutdown |
//! | [`leases`] | what keeps far references valid |
//! | [`reconnecting`] | lost connections, restarted servers |
//! | [`limits`] | all bounds with their defaults; backpressure |
//! | [`logging`] | what is reported, and how to see it |
//! | [`threads`] | runtimes, blocking methods, the watchdog |
//! | [`security`] | what a node believes |
//! | [`transports`] | `tcp://`, `unix://`, `memory://`, `udp://` |
//! | [`testing`] | tests without a network |
//!
//! | to do more | |
//! |---|---|
//! | [`deadlines`] | deadlines, cancellation, one-way messages |
//! | [`pipelining`] | using a result before it has arrived |
//! | [`streams`] | sequences of values, with credit |
//! | [`monitors`] | when objects end: monitors and links |
//! | [`deferred_replies`] | replies that are sent after the method has returned |
//! | [`serial_objects`] | one call at a time |
//! | [`sockets`] | TCP sockets of a node's machine as objects |
//! | [`datagrams`] | one-way messages over UDP |
//! | [`near_and_far`] | the differences that remain, and the guarantees |
//!
//! `GLOSSARY.md` in the repository defines the terms. `examples/` is a course in small programs.

macro_rules! chapters {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])* pub mod $name {})*
    };
}

chapters! {
    #[doc = include_str!("guide/getting_started.md")] getting_started
    #[doc = include_str!("guide/interfaces.md")] interfaces
    #[doc = include_str!("guide/values.md")] values
    #[doc = include_str!("guide/polymorphic_values.md")] polymorphic_values
    #[doc = include_str!("guide/references.md")] references
    #[doc = include_str!("guide/errors.md")] errors
    #[doc = include_str!("guide/servers.md")] servers
    #[doc = include_str!("guide/leases.md")] leases
    #[doc = include_str!("guide/reconnecting.md")] reconnecting
    #[doc = include_str!("guide/limits.md")]
    #[doc = include_str!("guide/limits_table.md")] limits
    #[doc = include_str!("guide/logging.md")] logging
    #[doc = include_str!("guide/threads.md")] threads
    #[doc = include_str!("guide/security.md")] security
    #[doc = include_str!("guide/testing.md")] testing
    #[doc = include_str!("guide/deadlines.md")] deadlines
    #[doc = include_str!("guide/pipelining.md")] pipelining
    #[doc = include_str!("guide/streams.md")] streams
    #[doc = include_str!("guide/monitors.md")] monitors
    #[doc = include_str!("guide/deferred_replies.md")] deferred_replies
    #[doc = include_str!("guide/serial_objects.md")] serial_objects
    #[doc = include_str!("guide/sockets.md")] sockets
    #[doc = include_str!("guide/datagrams.md")] datagrams
    #[doc = include_str!("guide/near_and_far.md")] near_and_far
}

#[doc = include_str!("guide/transports.md")]
pub mod transports {
    chapters! {
        #[doc = include_str!("guide/tcp.md")] tcp
        #[doc = include_str!("guide/unix.md")] unix
        #[doc = include_str!("guide/memory.md")] memory
        #[doc = include_str!("guide/udp.md")] udp
    }
}
