//! The object that hostile peers call: its interface has a method for each kind of argument and of attack.
//!
//! It must not know the protocol.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use remote_core::{Ref, Remote, Result, remote};
use serde::{Deserialize, Serialize};

#[remote]
pub(crate) trait Target {
    /// Called by every honest client.
    async fn add(&self, number: u64) -> Result<u64>;
    async fn length(&self, text: String) -> Result<u64>;
    async fn bytes(&self, bytes: Vec<u8>) -> Result<u64>;
    async fn words(&self, words: Vec<String>) -> Result<u64>;
    async fn units(&self, units: Vec<()>) -> Result<u64>;
    async fn shape(&self, shape: Box<dyn Shape>) -> Result<u64>;
    async fn enums(&self, nest: Nest) -> Result<u64>;
    async fn options(&self, chain: Chain) -> Result<u64>;
    async fn vectors(&self, lists: Lists) -> Result<u64>;
    async fn child(&self) -> Result<Ref<dyn Target>>;
    /// Keeps a reference.
    async fn keep(&self, other: Ref<dyn Target>) -> Result<()>;
    async fn keep_all(&self, others: Vec<Ref<dyn Target>>) -> Result<u64>;
    /// Returns the reference that was kept last.
    async fn kept(&self) -> Result<Ref<dyn Target>>;
    /// Calls back.
    async fn call(&self, other: Ref<dyn Target>) -> Result<u64>;
    async fn never(&self) -> Result<()>;
    /// Keeps its argument, and never returns.
    async fn hold(&self, bytes: Vec<u8>) -> Result<()>;
    async fn never_child(&self) -> Result<Ref<dyn Target>>;
    async fn panics(&self) -> Result<()>;
    /// Returns this number of bytes.
    async fn large(&self, size: u64) -> Result<Vec<u8>>;
}

/// The trait of polymorphic values.
#[typetag::serde]
pub(crate) trait Shape: Send + Sync {
    fn area(&self) -> u64;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Square(pub(crate) u64);

#[typetag::serde]
impl Shape for Square {
    fn area(&self) -> u64 {
        self.0
    }
}

/// A polymorphic value around another.
#[derive(Serialize, Deserialize)]
pub(crate) struct Framed(pub(crate) Box<dyn Shape>);

#[typetag::serde]
impl Shape for Framed {
    fn area(&self) -> u64 {
        1 + self.0.area()
    }
}

/// Another trait, whose tags are not those of [`Shape`].
#[typetag::serde]
pub(crate) trait Sound {}

#[derive(Serialize, Deserialize)]
pub(crate) struct Bell;

#[typetag::serde]
impl Sound for Bell {}

#[derive(Serialize, Deserialize)]
pub(crate) enum Nest {
    End,
    More(Box<Nest>),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Chain(pub(crate) Option<Box<Chain>>);

#[derive(Serialize, Deserialize)]
pub(crate) struct Lists(pub(crate) Vec<Lists>);

/// The object.
#[derive(Remote, Clone, Default)]
#[remote(Target)]
pub(crate) struct TargetObject {
    sum: Arc<AtomicU64>,
    kept: Arc<std::sync::Mutex<Vec<Ref<dyn Target>>>>,
    /// The number of executions of `never` that began and were not dropped.
    pub(crate) running: Arc<AtomicU64>,
}

impl TargetObject {
    async fn stay<V>(&self) -> Result<V> {
        struct Leave(Arc<AtomicU64>);
        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.running.fetch_add(1, Ordering::SeqCst);
        let _leave = Leave(Arc::clone(&self.running));
        pending().await
    }
}

#[remote]
impl Target for TargetObject {
    async fn add(&self, number: u64) -> Result<u64> {
        Ok(self.sum.fetch_add(number, Ordering::Relaxed).wrapping_add(number))
    }

    async fn length(&self, text: String) -> Result<u64> {
        Ok(text.len() as u64)
    }

    async fn bytes(&self, bytes: Vec<u8>) -> Result<u64> {
        Ok(bytes.len() as u64)
    }

    async fn words(&self, words: Vec<String>) -> Result<u64> {
        Ok(words.len() as u64)
    }

    async fn units(&self, units: Vec<()>) -> Result<u64> {
        Ok(units.len() as u64)
    }

    async fn shape(&self, shape: Box<dyn Shape>) -> Result<u64> {
        Ok(shape.area())
    }

    async fn enums(&self, nest: Nest) -> Result<u64> {
        let (mut nest, mut depth) = (&nest, 0);
        while let Nest::More(inner) = nest {
            (nest, depth) = (inner, depth + 1);
        }
        Ok(depth)
    }

    async fn options(&self, chain: Chain) -> Result<u64> {
        let (mut chain, mut depth) = (&chain, 0);
        while let Some(inner) = &chain.0 {
            (chain, depth) = (inner, depth + 1);
        }
        Ok(depth)
    }

    async fn vectors(&self, lists: Lists) -> Result<u64> {
        let (mut lists, mut depth) = (&lists, 0);
        while let Some(inner) = lists.0.first() {
            (lists, depth) = (inner, depth + 1);
        }
        Ok(depth)
    }

    async fn child(&self) -> Result<Ref<dyn Target>> {
        Ok(Ref::new(TargetObject::default()))
    }

    async fn keep(&self, other: Ref<dyn Target>) -> Result<()> {
        self.kept.lock().unwrap().push(other);
        Ok(())
    }

    async fn keep_all(&self, others: Vec<Ref<dyn Target>>) -> Result<u64> {
        let count = others.len() as u64;
        self.kept.lock().unwrap().extend(others);
        Ok(count)
    }

    async fn kept(&self) -> Result<Ref<dyn Target>> {
        let kept = self.kept.lock().unwrap().last().cloned();
        kept.ok_or_else(|| remote_core::Error::Refused("nothing was kept".into()))
    }

    async fn call(&self, other: Ref<dyn Target>) -> Result<u64> {
        other.add(1).await
    }

    async fn never(&self) -> Result<()> {
        self.stay().await
    }

    async fn hold(&self, bytes: Vec<u8>) -> Result<()> {
        let held: Result<()> = self.stay().await;
        drop(bytes);
        held
    }

    async fn never_child(&self) -> Result<Ref<dyn Target>> {
        self.stay().await
    }

    async fn panics(&self) -> Result<()> {
        panic!("as it was call to")
    }

    async fn large(&self, size: u64) -> Result<Vec<u8>> {
        // Hostile peers ask for more than there is memory; the object itself is limited.
        Ok(vec![0x55; size.min(1 << 30) as usize])
    }
}
