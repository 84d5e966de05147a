//! The interfaces that both sides of the example `library_class` share: shapes, and a wall to hang them on.
//!
//! It must not know which classes of shapes exist.

use std::io::Read;

use remote_core::{Error, Node, Ref, Remote, Result, remote};

/// A shape, passed by value.
#[typetag::serde]
pub trait Shape: Send + Sync {
    /// Returns its area.
    fn area(&self) -> f64;
}

/// A wall to hang shapes on.
#[remote]
pub trait Wall {
    /// Hangs a shape, and returns the area that it covers.
    async fn hang(&self, shape: Box<dyn Shape>) -> Result<f64>;
}

/// An empty wall.
#[derive(Remote)]
#[remote(Wall)]
struct White;

#[remote]
impl Wall for White {
    async fn hang(&self, shape: Box<dyn Shape>) -> Result<f64> {
        Ok(shape.area())
    }
}

/// Serves a wall, prints its URI, and returns when standard input ends.
///
/// # Errors
/// Those of [`Node::listen`] and [`Node::publish`].
pub fn host() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let _node = runtime.block_on(async {
        let node = Node::listen("tcp://127.0.0.1:0").await?;
        node.publish("wall", Ref::<dyn Wall>::new(White)).await?;
        println!("{}", node.uri("wall"));
        Ok::<_, Error>(node)
    })?;
    // The runtime's threads serve the node. The parent process ends this one by closing the pipe.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
