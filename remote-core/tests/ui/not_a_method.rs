//! Items of an interface that are not methods.

use remote_core::{Ref, Result, remote};

#[remote]
trait Store {
    type Key; //~
    const SIZE: usize; //~
    async fn get(&self) -> Result<u64>;
}

async fn use_it(store: Ref<dyn Store>) -> Result<u64> {
    store.get().await
}

fn main() {}
