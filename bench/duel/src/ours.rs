//! The contestant `ours`: this library, used as an application would, with default limits.
//!
//! It must use the public interface only.

use std::time::Duration;

use remote_core::{Node, Ref, Remote, Result, remote};

use crate::play::{self, Failure, Name, Numbering};
use crate::role::Role;

/// Creates the objects.
#[remote]
trait Maker {
    /// Returns a new object.
    async fn make(&self) -> Result<Ref<dyn Item>>;
}

/// An object.
#[remote]
trait Item {
    /// Returns the object's name.
    async fn name(&self) -> Result<String>;
}

#[derive(Remote)]
#[remote(Maker)]
struct Workshop {
    numbering: Numbering,
}

#[remote]
impl Maker for Workshop {
    async fn make(&self) -> Result<Ref<dyn Item>> {
        Ok(Ref::<dyn Item>::new(Piece { name: self.numbering.next() }))
    }
}

#[derive(Remote)]
#[remote(Item)]
struct Piece {
    name: Name,
}

#[remote]
impl Item for Piece {
    async fn name(&self) -> Result<String> {
        Ok(self.name.0.clone())
    }
}

pub(crate) async fn play(role: Role, lease: Duration) -> crate::Result<()> {
    match role {
        Role::Owner { port, life } => own(port, life, lease).await,
        Role::Holder { port } => play::hold(connect(port, lease).await?).await,
        Role::Churner { port, time } => play::churn(connect(port, lease).await?, time).await,
    }
}

async fn own(port: u16, life: u32, lease: Duration) -> crate::Result<()> {
    let node =
        Node::builder().lease(lease).listen(format!("tcp://127.0.0.1:{port}")).start().await?;
    node.publish("maker", Ref::<dyn Maker>::new(Workshop { numbering: Numbering::new(life) }))
        .await?;
    play::report(&crate::report::Report::Ready);
    node.closed().await;
    Ok(())
}

struct Far {
    /// Kept, because the session ends with its node.
    _node: Node,
    maker: Ref<dyn Maker>,
}

async fn connect(port: u16, lease: Duration) -> crate::Result<Far> {
    let node = Node::builder().lease(lease).start().await?;
    let maker = node.lookup(format!("tcp://127.0.0.1:{port}/maker")).await?;
    Ok(Far { _node: node, maker })
}

impl play::Maker for Far {
    type Item = Held;

    async fn make(&self) -> Result<Held, Failure> {
        self.maker.make().await.map(Held).map_err(|error| Failure::of(&error))
    }
}

struct Held(Ref<dyn Item>);

impl play::Item for Held {
    async fn name(&self) -> Result<String, Failure> {
        self.0.name().await.map_err(|error| Failure::of(&error))
    }
}
