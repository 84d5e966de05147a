//! A class lists traits.

use remote_core::Remote;

struct NoTrait;

#[derive(Remote)]
#[remote(NoTrait)] //~
struct Lost;

#[derive(Remote)]
#[remote(Missing)] //~
struct Searching;

fn main() {}
