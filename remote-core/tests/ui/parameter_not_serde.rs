//! The commonest mistake of all, alone.

use remote_core::{Result, remote};

struct Picture;

#[remote]
trait Album {
    async fn add(&self, picture: Picture) -> Result<u64>; //~
}

fn main() {}
