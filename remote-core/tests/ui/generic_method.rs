//! Generic methods.

use remote_core::{Ref, Remote, Result, remote};

#[remote]
trait Store {
    async fn put<V: serde::Serialize>(&self, value: V) -> Result<()>; //~
    async fn fill<const N: usize>(&self, values: [u8; N]) -> Result<()>; //~
    async fn pick<'a>(&'a self, name: &'a str) -> Result<()>; //~
    async fn wait(&self) -> Result<()>
    where
        Self: Send; //~^
    async fn get(&self) -> Result<u64>;
}

#[derive(Remote)]
#[remote(Store)]
struct Mine;

#[remote]
impl Store for Mine {
    async fn put<V: serde::Serialize>(&self, _value: V) -> Result<()> {
        Ok(())
    }

    async fn fill<const N: usize>(&self, _values: [u8; N]) -> Result<()> {
        Ok(())
    }

    async fn pick<'a>(&'a self, _name: &'a str) -> Result<()> {
        Ok(())
    }

    async fn wait(&self) -> Result<()>
    where
        Self: Send,
    {
        Ok(())
    }

    async fn get(&self) -> Result<u64> {
        Ok(1)
    }
}

async fn use_it() -> Result<u64> {
    let store = Ref::<dyn Store>::new(Mine);
    store.get().await
}

fn main() {}
