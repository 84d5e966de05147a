//! A class that does not implement an interface that it lists.

use remote_core::{Remote, Result, remote};

#[remote]
trait Holder {
    async fn hold(&self) -> Result<()>;
}

trait Plain {}

#[derive(Remote)]
#[remote(Holder)] //~
struct Liar;

#[derive(Remote)]
#[remote(Plain)] //~
struct Confused;

impl Plain for Confused {}

fn main() {}
