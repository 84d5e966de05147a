//! The server of the guide's first chapter. It ends at Ctrl-C.

use std::time::Duration;

use remote_core::{Node, Ref, Remote, Result, remote};

#[remote] // an interface
trait Greeter {
    async fn greet(&self, name: &str) -> Result<String>;
}

#[derive(Remote)] // a class, with the interfaces that its objects implement
#[remote(Greeter)]
struct English;

#[remote] // the implementation
impl Greeter for English {
    async fn greet(&self, name: &str) -> Result<String> {
        Ok(format!("hello, {name}"))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:4096".into());
    let node = Node::listen(address).await?;
    node.publish("greeter", Ref::<dyn Greeter>::new(English)).await?;
    println!("{}", node.uri("greeter"));

    tokio::signal::ctrl_c().await?;
    node.shutdown(Duration::from_secs(5)).await;
    println!("stopped");
    Ok(())
}
