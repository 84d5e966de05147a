//! Objects passed by reference: a callback to the client's own object, a factory that returns a new object, and a reference
//! that comes back as the original object.

use std::sync::{Arc, Mutex};

use remote_core::{Node, Ref, Remote, Result, remote};

#[remote]
trait Bidder {
    async fn outbid(&self, lot: &str, price: u64) -> Result<()>;
}

#[remote]
trait Lot {
    async fn bid(&self, bidder: Ref<dyn Bidder>, price: u64) -> Result<bool>;
    async fn leader(&self) -> Result<Option<Ref<dyn Bidder>>>;
}

#[remote]
trait Auction {
    async fn open(&self, lot: &str) -> Result<Ref<dyn Lot>>;
}

#[derive(Remote)]
#[remote(Auction)]
struct House;

#[remote]
impl Auction for House {
    async fn open(&self, lot: &str) -> Result<Ref<dyn Lot>> {
        Ok(Ref::new(Item { name: lot.to_owned(), best: Mutex::new((0, None)) }))
    }
}

#[derive(Remote)]
#[remote(Lot)]
struct Item {
    name: String,
    best: Mutex<(u64, Option<Ref<dyn Bidder>>)>,
}

#[remote]
impl Lot for Item {
    async fn bid(&self, bidder: Ref<dyn Bidder>, price: u64) -> Result<bool> {
        let beaten = {
            let mut best = self.best.lock().unwrap();
            if price <= best.0 {
                return Ok(false);
            }
            std::mem::replace(&mut *best, (price, Some(bidder))).1
        };
        // Do not hold the lock while calling another process.
        if let Some(beaten) = beaten {
            beaten.outbid(&self.name, price).await?;
        }
        Ok(true)
    }

    async fn leader(&self) -> Result<Option<Ref<dyn Bidder>>> {
        Ok(self.best.lock().unwrap().1.clone())
    }
}

/// An object on the client, which the server calls.
#[derive(Remote, Default)]
#[remote(Bidder)]
struct Guest {
    news: Mutex<Vec<String>>,
}

#[remote]
impl Bidder for Guest {
    async fn outbid(&self, lot: &str, price: u64) -> Result<()> {
        self.news.lock().unwrap().push(format!("{lot} is at {price}"));
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Node::listen("tcp://127.0.0.1:0").await?;
    server.publish("auction", Ref::<dyn Auction>::new(House)).await?;

    let client = Node::new(); // could be in another process
    let auction: Ref<dyn Auction> = client.lookup(server.uri("auction")).await?;
    let lot = auction.open("a lamp").await?; // a new object on the server, kept by this reference

    let guest = Arc::new(Guest::default());
    let ada: Ref<dyn Bidder> = Ref::from_arc(guest.clone());
    let bob: Ref<dyn Bidder> = Ref::new(Guest::default());
    assert!(lot.bid(ada.clone(), 10).await?);
    assert!(lot.bid(bob.clone(), 20).await?);
    assert!(!lot.bid(ada, 15).await?);

    let news = guest.news.lock().unwrap().join(", ");
    assert_eq!(news, "a lamp is at 20");
    println!("ada was notified: {news}");

    let leader = lot.leader().await?.expect("there is a leader");
    assert!(Ref::is_near(&leader), "a reference to a local object");
    assert_eq!(leader, bob);
    println!("bob leads, and is the original object");
    Ok(())
}
