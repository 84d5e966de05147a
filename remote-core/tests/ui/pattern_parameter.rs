//! Parameters without a plain name.

use remote_core::{Result, remote};

#[remote]
trait Plotter {
    async fn point(&self, (x, y): (f64, f64)) -> Result<()>; //~
    async fn skip(&self, _: u64) -> Result<()>; //~
    async fn line(&self, mut length: u64) -> Result<()>; //~
    async fn conditional(&self, #[cfg(unix)] mode: u32) -> Result<()>; //~
    async fn turn(&self, mut angle: u64) -> Result<u64> {
        angle += 1;
        Ok(angle)
    }
}

fn main() {}
