//! `impl Trait` in parameters and results.

use remote_core::{Result, remote};

#[remote]
trait Logger {
    async fn log(&self, line: impl AsRef<str>) -> Result<()>; //~
    async fn all(&self, lines: Vec<impl AsRef<str>>) -> Result<()>; //~
    async fn read(&self) -> impl Iterator<Item = String>; //~
    async fn lines(&self) -> Result<impl Iterator<Item = String>>; //~
}

fn main() {}
