//! A generic class.

use remote_core::{Ref, Remote, Result, remote};

#[remote]
trait Holder {
    async fn hold(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Holder)]
struct Cage<V> { //~
    value: V,
}

#[remote]
impl<V: Send + Sync + 'static> Holder for Cage<V> {
    async fn hold(&self) -> Result<()> {
        let _ = &self.value;
        Ok(())
    }
}

fn use_it() -> Ref<dyn Holder> {
    Ref::new(Cage { value: 3 })
}

fn main() {}
