//! Types that do not exist, each reported once.

use remote_core::{Result, remote};

#[remote]
trait Speaker {
    async fn add(&self, listener: Missing) -> Result<()>; //~
    async fn lend(&self, listener: &Absent) -> Result<()>; //~
    async fn get(&self) -> Result<Lost>; //~
    async fn fail(&self) -> Result<(), Gone>; //~
}

fn main() {}
