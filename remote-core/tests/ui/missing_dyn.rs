//! A trait where a type is needed.

use remote_core::{Ref, Result, remote};

#[remote]
trait Listener {
    async fn heard(&self, line: &str) -> Result<()>;
}

#[remote]
trait Speaker {
    async fn add(&self, listener: Ref<Listener>) -> Result<()>; //~
}

fn main() {}
