//! What both sides of the example `library_class` know: what a shape is, and a wall to hang one on. It must not know which
//! shapes there are.

use std::io::Read;

use remote_core::{Error, Node, Ref, Remote, Result, remote};

/// What can be hung on a wall, by value.
#[typetag::serde]
pub trait Shape: Send + Sync {
    /// How much of the wall it covers.
    fn area(&self) -> f64;
}

/// Where shapes hang.
#[remote]
pub trait Wall {
    /// Hangs a shape; says how much of the wall it covers.
    async fn hang(&self, shape: Box<dyn Shape>) -> Result<f64>;
}

/// A wall without anything on it.
#[derive(Remote)]
#[remote(Wall)]
struct White;

#[remote]
impl Wall for White {
    async fn hang(&self, shape: Box<dyn Shape>) -> Result<f64> {
        Ok(shape.area())
    }
}

/// Hosts a wall, prints where, and ends when standard input does.
///
/// # Errors
/// Those of listening.
pub fn host() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let _node = runtime.block_on(async {
        let node = Node::listen("tcp://127.0.0.1:0").await?;
        node.publish("wall", Ref::<dyn Wall>::new(White)).await?;
        println!("{}", node.uri("wall"));
        Ok::<_, Error>(node)
    })?;
    // The runtime's threads serve the node meanwhile; whoever started this process ends it by closing the pipe.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
