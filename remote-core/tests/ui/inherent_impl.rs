//! `#[remote]` on an inherent `impl`.

use remote_core::{Result, remote};

struct English;

#[remote]
impl English { //~
    async fn greet(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
