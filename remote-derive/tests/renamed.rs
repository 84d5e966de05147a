//! Tests that the macros work where `remote_core` has another name, and under strict lints.

#![deny(warnings, missing_docs, clippy::pedantic)]

/// Interfaces in a module of their own, with documentation on every item.
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

/// Another path to the library.
mod reexport {
    pub(crate) use the_library as core_by_another_path;
}

mod by_another_path {
    use super::reexport::core_by_another_path::{Remote, Result, remote};

    #[remote(crate = super::reexport::core_by_another_path)]
    pub(crate) trait Named {
        async fn name(&self) -> Result<String>;
    }

    #[derive(Remote)]
    #[remote(Named, super::interfaces::Counter, crate = super::reexport::core_by_another_path)]
    pub(crate) struct Both;

    #[remote(crate = super::reexport::core_by_another_path)]
    impl Named for Both {
        async fn name(&self) -> Result<String> {
            Ok("both".to_owned())
        }
    }

    #[remote(crate = super::reexport::core_by_another_path)]
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
async fn the_library_is_found_under_its_name_in_cargo_toml() -> Result<()> {
    let total: Ref<dyn Counter> = Ref::new(Total::default());
    assert_eq!(total.add(2).await?, 2);
    assert_eq!(total.add_both(total.clone(), 10).await?, 12 + 22);
    Ok(())
}

#[tokio::test]
async fn the_crate_option_is_used() -> Result<()> {
    let both: Ref<dyn by_another_path::Named> = Ref::new(by_another_path::Both);
    assert_eq!(by_another_path::Named::name(&*both).await?, "both");
    let counter = Ref::cast::<dyn Counter>(&both).await?;
    assert_eq!(counter.add(1).await?, 2);
    Ok(())
}

#[test]
fn the_alias_for_the_proxy_has_the_name_of_the_interface() {
    fn is_an_interface<T: Counter>() {}
    is_an_interface::<CounterProxy>();
}
