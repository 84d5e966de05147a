//! `#[remote]` on items that it does not apply to.

use remote_core::remote;

#[remote]
fn greet() {} //~

#[remote]
struct English; //~

#[remote]
mod greetings {} //~

fn main() {}
