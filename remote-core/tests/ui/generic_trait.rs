//! A generic interface.

use remote_core::{Result, remote};

#[remote]
trait Store<V> { //~
    async fn put(&self, value: V) -> Result<()>;
}

#[remote]
trait Bounded
where
    Self: Sized, //~^
{
    async fn put(&self, value: u64) -> Result<()>;
}

fn takes(_: &dyn Bounded) {}

fn main() {}
