//! The most frequent error, by itself: a parameter that serde cannot carry.

use remote_core::{Result, remote};

struct Picture;

#[remote]
trait Album {
    async fn add(&self, picture: Picture) -> Result<u64>; //~
}

fn main() {}
