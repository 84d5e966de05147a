//! Several errors in one interface, each reported once.

use remote_core::{Ref, Result, remote};

#[remote]
trait Muddle {
    async fn one(&mut self) -> Result<()>; //~
    fn two(&self) -> Result<()>; //~
    async fn three(&self) -> (u8, u8); //~
    async fn four<V>(&self, value: V) -> Result<()>; //~
    async fn clone(&self, name: &'static str) -> Result<&str>; //~ //~ //~
}

fn takes(muddle: Ref<dyn Muddle>) -> Ref<dyn Muddle> {
    muddle.clone()
}

fn main() {}
