//! What a call can fail with: an error of one's own, a panic, a deadline, what a method met itself, and what is known
//! then about whether the call was executed.

use std::time::Duration;

use remote_core::{Error, Node, Outcome, Ref, Remote, remote};
use serde::{Deserialize, Serialize};

/// The interface's own error. It must be able to say that the message itself failed.
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
            "sourdough" => std::future::pending().await, // not before tomorrow
            // Answered by another: `?` passes its error on.
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
    let client = Node::new(); // as well in another process
    let bakery: Ref<dyn Bakery> = client.lookup(server.uri("bakery")).await?;

    assert_eq!(bakery.buy("rye").await?, 3);

    // One's own error arrives as itself.
    let sold_out = bakery.buy("baguette").await.unwrap_err();
    assert_eq!(sold_out, BakeryError::SoldOut { bread: "baguette".into() });

    // A panic ends the call, and nothing else.
    let panicked = remote(bakery.buy("cake").await);
    show("a panic", &panicked);
    assert_eq!(panicked.outcome(), Outcome::Failed);
    assert_eq!(bakery.buy("rye").await?, 3);

    // After a deadline nobody can tell how far it came.
    let late = remote(bakery.buy("sourdough").timeout(Duration::from_millis(50)).await);
    show("a deadline", &late);
    assert_eq!(late, Error::Timeout);
    assert_eq!(late.outcome(), Outcome::Unknown);

    // What failed for the method is not what failed for us: our call was executed.
    Ref::stop(&mill, "no more grain")?;
    let nested = remote(bakery.buy("flour").await);
    show("an error of another call", &nested);
    assert_eq!(nested.outcome(), Outcome::Failed);
    assert_eq!(nested.root(), &Error::Ended("no more grain".into()));

    // A message that never left was not executed.
    let nobody = client.lookup::<dyn Bakery>(server.uri("butcher")).await.unwrap_err();
    show("a wrong name", &nobody);
    assert_eq!(nobody.outcome(), Outcome::NotExecuted);
    Ok(())
}

fn remote(result: Result<u64, BakeryError>) -> Error {
    match result {
        Err(BakeryError::Remote(error)) => error,
        other => panic!("{other:?} is no error of the system"),
    }
}

fn show(what: &str, error: &Error) {
    println!("{what}: {error}");
}
