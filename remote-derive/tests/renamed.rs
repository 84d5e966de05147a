//! Owns the promise that the macros work where `remote_core` goes by another name, and whatever else is in scope.

#![deny(warnings, missing_docs, clippy::pedantic)]

/// Interfaces that a far side could be built with: public, and documented to the last item.
pub(crate) mod interfaces {
    use the_library::{Ref, Result, remote};

    /// Counts.
    #[remote]
    pub(crate) trait Counter {
        /// Adds a step.
        async fn add(&self, step: u64) -> Result<u64>;
        /// Adds a step to this one and to another.
        async fn add_both(&self, other: Ref<dyn Counter>, step: u64) -> Result<u64> {
            Ok(self.add(step).await? + other.add(step).await?)
        }
    }
}

/// The library by yet another way.
mod detour {
    pub(crate) use the_library as core_of_it;
}

mod through_a_detour {
    use super::detour::core_of_it::{Remote, Result, remote};

    #[remote(crate = super::detour::core_of_it)]
    pub(crate) trait Named {
        async fn name(&self) -> Result<String>;
    }

    #[derive(Remote)]
    #[remote(Named, super::interfaces::Counter, crate = super::detour::core_of_it)]
    pub(crate) struct Both;

    #[remote(crate = super::detour::core_of_it)]
    impl Named for Both {
        async fn name(&self) -> Result<String> {
            Ok("both".to_owned())
        }
    }

    #[remote(crate = super::detour::core_of_it)]
    impl super::interfaces::Counter for Both {
        async fn add(&self, step: u64) -> Result<u64> {
            Ok(step + 1)
        }
    }
}

use std::sync::atomic::{AtomicU64, Ordering};

use interfaces::{Counter, CounterProxy};
use the_library::{Ref, Remote, Result, remote};

#[derive(Remote, Default)]
#[remote(interfaces::Counter)]
struct Total(AtomicU64);

#[remote]
impl Counter for Total {
    async fn add(&self, step: u64) -> Result<u64> {
        Ok(self.0.fetch_add(step, Ordering::Relaxed) + step)
    }
}

#[tokio::test]
async fn the_library_is_found_by_its_other_name() -> Result<()> {
    let total: Ref<dyn Counter> = Ref::new(Total::default());
    assert_eq!(total.add(2).await?, 2);
    assert_eq!(total.add_both(total.clone(), 10).await?, 12 + 22);
    Ok(())
}

#[tokio::test]
async fn the_library_is_found_where_it_is_said_to_be() -> Result<()> {
    let both: Ref<dyn through_a_detour::Named> = Ref::new(through_a_detour::Both);
    assert_eq!(through_a_detour::Named::name(&*both).await?, "both");
    let counter = Ref::cast::<dyn Counter>(&both).await?;
    assert_eq!(counter.add(1).await?, 2);
    Ok(())
}

#[test]
fn the_proxy_has_the_name_of_its_interface() {
    fn is_an_interface<T: Counter>() {}
    is_an_interface::<CounterProxy>();
}
