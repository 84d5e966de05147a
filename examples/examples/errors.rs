//! The ways in which a call can fail (the interface's own error, a panic, a deadline, a failed call inside of the method),
//! and what the caller then knows about the call's execution.

use std::time::Duration;

use remote_core::{Error, Node, Outcome, Ref, Remote, remote};
use serde::{Deserialize, Serialize};

/// The interface's own error type. It must be able to hold an error of the system.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum BakeryError {
    SoldOut { bread: String },
    Remote(Error),
}

impl From<Error> for BakeryError {
    fn from(error: Error) -> BakeryError {
        BakeryError::Remote(error)
    }
}

#[remote]
trait Bakery {
    async fn buy(&self, bread: &str) -> Result<u64, BakeryError>;
}

#[derive(Remote)]
#[remote(Bakery)]
struct Corner {
    mill: Ref<dyn Bakery>,
}

#[remote]
impl Bakery for Corner {
    async fn buy(&self, bread: &str) -> Result<u64, BakeryError> {
        match bread {
            "rye" => Ok(3),
            "cake" => panic!("we do not sell cake"),
            "sourdough" => std::future::pending().await, // never returns
            // A call to another object: `?` passes its error on.
            "flour" => Ok(self.mill.buy("flour").await?),
            other => Err(BakeryError::SoldOut { bread: other.into() }),
        }
    }
}

#[derive(Remote)]
#[remote(Bakery)]
struct Mill;

#[remote]
impl Bakery for Mill {
    async fn buy(&self, _bread: &str) -> Result<u64, BakeryError> {
        Ok(1)
    }
}

#[tokio::main]
async fn main() -> Result<(), BakeryError> {
    let mill: Ref<dyn Bakery> = Ref::new(Mill);
    let server = Node::listen("tcp://127.0.0.1:0").await?;
    server.publish("bakery", Ref::<dyn Bakery>::new(Corner { mill: mill.clone() })).await?;
    let client = Node::new(); // could be in another process
    let bakery: Ref<dyn Bakery> = client.lookup(server.uri("bakery")).await?;

    assert_eq!(bakery.buy("rye").await?, 3);

    // The interface's own error arrives unchanged.
    let sold_out = bakery.buy("baguette").await.unwrap_err();
    assert_eq!(sold_out, BakeryError::SoldOut { bread: "baguette".into() });

    // A panic ends this call only.
    let panicked = remote(bakery.buy("cake").await);
    show("a panic", &panicked);
    assert_eq!(panicked.outcome(), Outcome::Failed);
    assert_eq!(bakery.buy("rye").await?, 3);

    // After a deadline the outcome is unknown.
    let late = remote(bakery.buy("sourdough").timeout(Duration::from_millis(50)).await);
    show("a deadline", &late);
    assert_eq!(late, Error::Timeout);
    assert_eq!(late.outcome(), Outcome::Unknown);

    // A call that the method made has failed. Our own call was executed.
    Ref::stop(&mill, "no more grain")?;
    let nested = remote(bakery.buy("flour").await);
    show("an error of another call", &nested);
    assert_eq!(nested.outcome(), Outcome::Failed);
    assert_eq!(nested.root(), &Error::Ended("no more grain".into()));

    // The lookup failed, so that no message was sent.
    let unknown = client.lookup::<dyn Bakery>(server.uri("butcher")).await.unwrap_err();
    show("a wrong name", &unknown);
    assert_eq!(unknown.outcome(), Outcome::NotExecuted);
    Ok(())
}

fn remote(result: Result<u64, BakeryError>) -> Error {
    match result {
        Err(BakeryError::Remote(error)) => error,
        other => panic!("{other:?} is not an error of the system"),
    }
}

fn show(what: &str, error: &Error) {
    println!("{what}: {error}");
}
