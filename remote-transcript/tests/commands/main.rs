//! Tests of the application through processes, pipes, terminals and signals. They must not know its modules.

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
