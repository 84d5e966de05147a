//! The modules of the protocol engine (`id`, `error`, `limits`, `wire`, `session`) and `random`, compiled without tokio.
//!
//! It compiles the product's files. If one of them names tokio, or another module of the product, this crate does not
//! compile.

// Nothing here calls the engine.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../../remote-core/src/error.rs"]
mod error;
#[path = "../../../remote-core/src/id.rs"]
mod id;
#[path = "../../../remote-core/src/limits.rs"]
mod limits;
#[path = "../../../remote-core/src/random.rs"]
mod random;
#[path = "../../../remote-core/src/session/mod.rs"]
mod session;
#[path = "../../../remote-core/src/wire/mod.rs"]
mod wire;
