//! Method names that are reserved.

use remote_core::{Result, remote};

#[remote]
trait Document {
    async fn clone(&self) -> Result<u64>; //~
    async fn eq(&self, other: u64) -> Result<bool>; //~
    async fn into(&self) -> Result<String>; //~
    async fn __secret(&self) -> Result<()>; //~
    async fn copy(&self) -> Result<u64>;
}

fn main() {}
