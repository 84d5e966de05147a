//! A bare trait object as a parameter or result.

use remote_core::{Ref, Result, remote};

#[remote]
trait Listener {
    async fn heard(&self, line: &str) -> Result<()>;
}

#[remote]
trait Speaker {
    async fn add(&self, listener: dyn Listener) -> Result<()>; //~
    async fn lend(&self, listener: &dyn Listener) -> Result<()>; //~
    async fn all(&self, listeners: Vec<dyn Listener>) -> Result<()>; //~
    async fn first(&self) -> Result<dyn Listener>; //~
    async fn right(&self, listener: Ref<dyn Listener>) -> Result<Vec<Ref<dyn Listener>>>;
}

fn main() {}
