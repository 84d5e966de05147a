//! `#[remote]` goes on a trait, on its impl, and below a derive.

use remote_core::remote;

#[remote]
fn greet() {} //~

#[remote]
struct English; //~

#[remote]
mod greetings {} //~

fn main() {}
