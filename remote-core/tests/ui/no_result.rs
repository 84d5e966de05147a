//! Return types that are not a `Result`.

use remote_core::remote;

#[remote]
trait Counter {
    async fn reset(&self); //~
    async fn pair(&self) -> (u64, u64); //~
}

fn main() {}
