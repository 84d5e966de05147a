//! The product as a contestant: the public interface, with default limits, in several forms.
//!
//! | first argument | form |
//! |---|---|
//! | none | `tcp://`, multi-thread runtime |
//! | `current` | `tcp://`, `current_thread` runtime |
//! | `unix` | `unix://`, multi-thread runtime |
//! | `memory` | two nodes in the client process, connected by `memory://` |
//! | `near` | references to objects of the client process |
//! | `boxed` | no library: `dyn` calls that return boxed futures, for comparison with `near` |
//!
//! The arguments of the contract follow.

mod boxed;
mod client;
mod in_process;
mod interfaces;
mod server;
mod transport;

use std::process::ExitCode;

use contract::{Flavor, play_with};

use crate::boxed::Boxed;
use crate::in_process::{Memory, Near};
use crate::transport::{Over, Tcp, Unix};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (form, rest) = arguments.split_first().map_or(("", &[][..]), |(form, rest)| (form, rest));
    match form {
        "current" => play_with::<Over<Tcp>>(Flavor::CurrentThread, rest),
        "unix" => play_with::<Over<Unix>>(Flavor::MultiThread, rest),
        "memory" => play_with::<Memory>(Flavor::MultiThread, rest),
        "near" => play_with::<Near>(Flavor::MultiThread, rest),
        "boxed" => play_with::<Boxed>(Flavor::MultiThread, rest),
        _ => play_with::<Over<Tcp>>(Flavor::MultiThread, &arguments),
    }
}
