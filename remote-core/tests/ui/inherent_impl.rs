//! Only what an interface declares is sent.

use remote_core::{Result, remote};

struct English;

#[remote]
impl English { //~
    async fn greet(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
