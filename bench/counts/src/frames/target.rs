//! The object that the peer calls. It must not know the protocol.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use remote_core::{Ref, Remote, Result, remote};

#[remote]
pub(crate) trait Target {
    async fn add(&self, number: u64) -> Result<u64>;
    /// Returns the number of bytes.
    async fn length(&self, bytes: Vec<u8>) -> Result<u64>;
    /// Returns `size` bytes.
    async fn large(&self, size: u64) -> Result<Vec<u8>>;
    /// Keeps the references.
    async fn keep_all(&self, others: Vec<Ref<dyn Target>>) -> Result<u64>;
    /// Returns `count` new objects.
    async fn many(&self, count: u64) -> Result<Vec<Ref<dyn Target>>>;
    /// Never returns.
    async fn never(&self) -> Result<()>;
    /// Returns a new object.
    async fn make(&self) -> Result<Ref<dyn Target>>;
}

#[derive(Remote, Clone, Default)]
#[remote(Target)]
pub(crate) struct Keeper {
    /// The references passed to `keep_all`.
    pub(crate) kept: Arc<Mutex<Vec<Ref<dyn Target>>>>,
    /// The number of executions of `never` that have started.
    pub(crate) begun: Arc<AtomicU64>,
}

#[remote]
impl Target for Keeper {
    async fn add(&self, number: u64) -> Result<u64> {
        Ok(number)
    }

    async fn length(&self, bytes: Vec<u8>) -> Result<u64> {
        Ok(bytes.len() as u64)
    }

    async fn large(&self, size: u64) -> Result<Vec<u8>> {
        Ok(vec![0x55; size as usize])
    }

    async fn keep_all(&self, others: Vec<Ref<dyn Target>>) -> Result<u64> {
        let count = others.len() as u64;
        self.kept.lock().expect("nothing panics under it").extend(others);
        Ok(count)
    }

    async fn many(&self, count: u64) -> Result<Vec<Ref<dyn Target>>> {
        Ok((0..count).map(|_| Ref::<dyn Target>::new(Keeper::default())).collect())
    }

    async fn never(&self) -> Result<()> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        pending().await
    }

    async fn make(&self) -> Result<Ref<dyn Target>> {
        Ok(Ref::<dyn Target>::new(Keeper::default()))
    }
}
