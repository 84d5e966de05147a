//! Values of many classes are passed by value: in a list, in an option, in a struct.

use remote_core::{Node, Ref, Remote, Result, remote};
use serde::{Deserialize, Serialize};

#[typetag::serde]
trait Part: Send + Sync {
    fn price(&self) -> u64;
}

#[derive(Serialize, Deserialize)]
struct Wheel {
    inches: u64,
}

#[typetag::serde]
impl Part for Wheel {
    fn price(&self) -> u64 {
        self.inches * 2
    }
}

#[derive(Serialize, Deserialize)]
struct Bell;

#[typetag::serde]
impl Part for Bell {
    fn price(&self) -> u64 {
        5
    }
}

/// A part made of parts.
#[derive(Serialize, Deserialize)]
struct Bicycle {
    parts: Vec<Box<dyn Part>>,
    extra: Option<Box<dyn Part>>,
}

#[typetag::serde]
impl Part for Bicycle {
    fn price(&self) -> u64 {
        self.parts.iter().chain(&self.extra).map(|part| part.price()).sum()
    }
}

#[remote]
trait Shop {
    async fn price(&self, part: Box<dyn Part>) -> Result<u64>;
    async fn build(&self, inches: u64) -> Result<Box<dyn Part>>;
}

#[derive(Remote)]
#[remote(Shop)]
struct Garage;

#[remote]
impl Shop for Garage {
    async fn price(&self, part: Box<dyn Part>) -> Result<u64> {
        Ok(part.price())
    }

    async fn build(&self, inches: u64) -> Result<Box<dyn Part>> {
        let bicycle = Bicycle {
            parts: vec![Box::new(Wheel { inches }), Box::new(Wheel { inches })],
            extra: Some(Box::new(Bell)),
        };
        let built: Box<dyn Part> = Box::new(bicycle);
        Ok(built)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Node::listen("tcp://127.0.0.1:0").await?;
    server.publish("shop", Ref::<dyn Shop>::new(Garage)).await?;
    let client = Node::new(); // could be in another process
    let shop: Ref<dyn Shop> = client.lookup(server.uri("shop")).await?;

    let wheel = shop.price(Box::new(Wheel { inches: 28 })).await?;
    assert_eq!(wheel, 56);
    println!("a wheel costs {wheel}");

    let bicycle = shop.build(28).await?; // a copy, on this side
    assert_eq!(bicycle.price(), 117);
    assert_eq!(shop.price(bicycle).await?, 117);
    println!("a bicycle costs 117, here and there");
    Ok(())
}
