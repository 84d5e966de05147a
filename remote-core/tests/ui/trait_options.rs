//! Invalid options of a trait and of an `impl`.

use remote_core::{Result, remote};

#[remote(Other)] //~
trait Holder {
    async fn hold(&self) -> Result<()>;
}

#[remote(colour = "red")] //~
trait Red {
    async fn hold(&self) -> Result<()>;
}

#[remote(serial)] //~
trait Slow {
    async fn hold(&self) -> Result<()>;
}

struct Cage;

#[remote(name = "cage")] //~
impl Red for Cage {
    async fn hold(&self) -> Result<()> {
        Ok(())
    }
}

#[remote(stop_on_panic)] //~
impl Slow for Cage {
    async fn hold(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
