//! Supertraits that are not interfaces.

use remote_core::{Ref, Remote, Result, remote};

trait Plain {}

impl Plain for Mine {}

#[remote]
trait Shape: Plain + Send { //~
    async fn area(&self) -> Result<u64>;
}

#[remote]
trait Round: std::fmt::Debug { //~
    async fn radius(&self) -> Result<u64>;
}

#[derive(Remote)]
#[remote(Shape)]
struct Mine;

#[remote]
impl Shape for Mine {
    async fn area(&self) -> Result<u64> {
        Ok(1)
    }
}

async fn use_it() -> Result<u64> {
    let shape = Ref::<dyn Shape>::new(Mine);
    shape.area().await
}

fn main() {}
