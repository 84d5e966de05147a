//! Tests of signatures between two programs that define the same interface differently: no value arrives as another one.

use crate::support::child::{Child, report};
use crate::support::within;
use remote_core::{Error, Node, Outcome, Ref, Remote, Result, remote};
use serde::{Deserialize, Deserializer, Serialize};

/// A number that rejects most values: a tracer cannot guess one that it accepts.
#[derive(Serialize)]
struct Rare(u32);

impl<'de> Deserialize<'de> for Rare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Rare, D::Error> {
        match u32::deserialize(deserializer)? {
            4711 => Ok(Rare(4711)),
            other => Err(serde::de::Error::custom(format!("{other} is not rare"))),
        }
    }
}

/// Defines the interface, with the types of some of its numbers.
macro_rules! program {
    ($module:ident, $second:ty, $third:ty, $number:ty) => {
        mod $module {
            use super::*;

            #[derive(Serialize, Deserialize)]
            pub(super) enum Choice {
                Nothing,
                Pair($second, $third),
                Named { number: $number },
            }

            #[derive(Serialize, Deserialize)]
            pub(super) struct Entry {
                pub(super) rare: Rare,
                pub(super) number: $number,
            }

            #[remote(name = "Till")]
            pub(super) trait Till {
                async fn choose(&self, choice: Choice) -> Result<String>;
                async fn enter(&self, entry: Entry) -> Result<String>;
                async fn entries(&self) -> Result<Vec<Option<Entry>>>;
                async fn same(&self, rare: Rare, number: u64) -> Result<u64>;
            }
        }
    };
}

program!(former, u32, u8, u32);
program!(later, i32, i64, i32);

#[derive(Remote)]
#[remote(former::Till)]
struct Drawer;

#[remote]
impl former::Till for Drawer {
    async fn choose(&self, choice: former::Choice) -> Result<String> {
        Ok(match choice {
            former::Choice::Nothing => "nothing".into(),
            former::Choice::Pair(second, third) => format!("{second} {third}"),
            former::Choice::Named { number } => number.to_string(),
        })
    }

    async fn enter(&self, entry: former::Entry) -> Result<String> {
        Ok(format!("{} {}", entry.rare.0, entry.number))
    }

    async fn entries(&self) -> Result<Vec<Option<former::Entry>>> {
        Ok(vec![Some(former::Entry { rare: Rare(4711), number: 7 }), None])
    }

    async fn same(&self, rare: Rare, number: u64) -> Result<u64> {
        Ok(u64::from(rare.0) + number)
    }
}

/// Serves the former interface.
pub(crate) fn serve() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let node = Node::listen("tcp://127.0.0.1:0").await.unwrap();
        node.publish("till", Ref::<dyn former::Till>::new(Drawer)).await.unwrap();
        report(&node.uri("till"));
        std::future::pending::<()>().await;
    });
}

fn assert_mismatch<V: std::fmt::Debug>(result: Result<V>, method: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    let Error::SignatureMismatch { selector, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*selector, format!("Till.{method}"));
}

#[tokio::test]
async fn values_of_a_changed_type_are_refused() {
    let child = Child::start("till server", &[]);
    let uri = child.receive();
    let node = Node::new();
    let former: Ref<dyn former::Till> = within(node.lookup(&uri)).await.unwrap();
    let later: Ref<dyn later::Till> = within(node.lookup(&uri)).await.unwrap();
    // A later variant differs, and a field behind one that rejects sample values.
    for choice in
        [later::Choice::Nothing, later::Choice::Pair(7, 9), later::Choice::Named { number: 7 }]
    {
        assert_mismatch(within(later.choose(choice)).await, "choose");
    }
    let entry = later::Entry { rare: Rare(4711), number: 7 };
    assert_mismatch(within(later.enter(entry)).await, "enter");
    assert_mismatch(within(later.entries()).await.map(|entries| entries.len()), "entries");
    // What is the same in both is understood.
    assert_eq!(within(later.same(Rare(4711), 1)).await, Ok(4712));
    let pair = former::Choice::Pair(7, 9);
    assert_eq!(within(former.choose(pair)).await.as_deref(), Ok("7 9"));
    let entry = former::Entry { rare: Rare(4711), number: 7 };
    assert_eq!(within(former.enter(entry)).await.as_deref(), Ok("4711 7"));
    assert_eq!(within(former.entries()).await.map(|entries| entries.len()), Ok(2));
}
