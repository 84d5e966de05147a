//! `&mut`, `'static`, `Self` and `_` in parameters.

use remote_core::{Result, remote};

#[remote]
trait Reader {
    async fn read(&self, buffer: &mut [u8]) -> Result<usize>; //~
    async fn fill(&self, buffer: Option<&mut Vec<u8>>) -> Result<usize>; //~
    async fn name(&self, name: &'static str) -> Result<usize>; //~
    async fn myself(&self, other: Self) -> Result<usize>; //~
    async fn any(&self, other: _) -> Result<usize>; //~
}

fn main() {}
