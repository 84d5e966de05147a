//! A reference is a reference to an interface.

use remote_core::{Ref, Result, remote};

trait Plain {}

#[remote]
trait Speaker {
    async fn add(&self, listener: Ref<dyn Plain>) -> Result<()>; //~
}

fn main() {}
