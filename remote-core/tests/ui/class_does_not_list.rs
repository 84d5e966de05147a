//! A reference of an interface that the class does not list.

use remote_core::{Ref, Remote, Result, remote};

#[remote]
trait Holder {
    async fn hold(&self) -> Result<()>;
}

#[remote]
trait Keeper {
    async fn keep(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Keeper)]
struct Cage;

#[remote]
impl Keeper for Cage {
    async fn keep(&self) -> Result<()> {
        Ok(())
    }
}

#[remote]
impl Holder for Cage {
    async fn hold(&self) -> Result<()> {
        Ok(())
    }
}

fn use_it() -> Ref<dyn Holder> {
    Ref::<dyn Holder>::new(Cage) //~
}

fn main() {}
