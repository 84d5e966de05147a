//! Return types of which only the compiler knows that they are not a `Result`.

use remote_core::{Ref, Remote, remote};

type Answer = u64;
type Fine<V> = Result<V, remote_core::Error>;

#[remote]
trait Counter {
    async fn add(&self, step: u64) -> u64; //~
    async fn total(&self) -> Answer; //~
    async fn list(&self) -> Option<Vec<u64>>; //~
    async fn fine(&self) -> Fine<u64>;
}

#[derive(Remote)]
#[remote(Counter)]
struct Mine;

#[remote]
impl Counter for Mine {
    async fn add(&self, step: u64) -> u64 {
        step
    }

    async fn total(&self) -> Answer {
        0
    }

    async fn list(&self) -> Option<Vec<u64>> {
        None
    }

    async fn fine(&self) -> Fine<u64> {
        Ok(1)
    }
}

async fn use_it() -> Fine<u64> {
    let counter = Ref::<dyn Counter>::new(Mine);
    counter.fine().await
}

fn main() {}
