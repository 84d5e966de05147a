//! The contestant that is the product, as a user would write it, with default limits. It must not know anything of the
//! library's that its documentation does not offer.

use std::time::Duration;

use remote_core::{Node, Ref, Remote, Result, remote};

use crate::play::{self, Failure, Name, Numbering};
use crate::role::Role;

/// Makes the objects that are held.
#[remote]
trait Maker {
    /// A fresh object.
    async fn make(&self) -> Result<Ref<dyn Item>>;
}

/// An object that is held.
#[remote]
trait Item {
    /// Which one it is, of which life of its owner.
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
    play::say(&crate::report::Said::Ready);
    node.closed().await;
    Ok(())
}

struct Far {
    /// Without it there would be no session.
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
