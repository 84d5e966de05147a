//! A class that lists no interface.

use remote_core::Remote;

#[derive(Remote)]
struct Silent; //~

#[derive(Remote)]
#[remote(name = "quiet")]
enum Quiet {} //~

#[derive(Remote)]
#[remote]
struct Empty; //~

fn main() {}
