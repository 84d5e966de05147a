//! Tests of the application as its users meet it: through real processes, pipes, terminals and signals. They know nothing
//! of its inside.

#![cfg(unix)] // signals and terminals

mod chat;
mod demo;
mod errors;
mod network;
mod process;
mod serve;
mod show;
mod terminal;
mod watch;
