//! Receivers other than `&self`.

use remote_core::{Ref, Remote, Result, remote};

#[remote]
trait Counter {
    async fn add(&mut self, step: u64) -> Result<u64>; //~
    async fn into_total(self) -> Result<u64>; //~
    async fn boxed(self: Box<Self>) -> Result<u64>; //~
    async fn make(start: u64) -> Result<u64>; //~
    async fn total(&self) -> Result<u64>;
}

#[derive(Remote)]
#[remote(Counter)]
struct Mine;

#[remote]
impl Counter for Mine {
    async fn add(&mut self, step: u64) -> Result<u64> {
        Ok(step)
    }

    async fn into_total(self) -> Result<u64> {
        Ok(0)
    }

    async fn boxed(self: Box<Self>) -> Result<u64> {
        Ok(0)
    }

    async fn make(start: u64) -> Result<u64> {
        Ok(start)
    }

    async fn total(&self) -> Result<u64> {
        Ok(0)
    }
}

async fn use_it() -> Result<u64> {
    let counter = Ref::<dyn Counter>::new(Mine);
    counter.total().await
}

fn main() {}
