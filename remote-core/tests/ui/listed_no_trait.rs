//! A class that lists a type instead of a trait.

use remote_core::Remote;

struct NoTrait;

#[derive(Remote)]
#[remote(NoTrait)] //~
struct Lost;

#[derive(Remote)]
#[remote(Missing)] //~
struct Searching;

fn main() {}
