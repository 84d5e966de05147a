//! Hello world with remote objects: both sides in one file.

use remote_core::{Node, Ref, Remote, Result, remote};

#[remote]
trait Greeter {
    async fn greet(&self, name: &str) -> Result<String>;
}

#[derive(Remote)]
#[remote(Greeter)]
struct English;

#[remote]
impl Greeter for English {
    async fn greet(&self, name: &str) -> Result<String> {
        Ok(format!("hello, {name}"))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Node::listen("tcp://127.0.0.1:0").await?;
    server.publish("greeter", Ref::<dyn Greeter>::new(English)).await?;
    let client = Node::new(); // could be in another process
    let greeter: Ref<dyn Greeter> = client.lookup(server.uri("greeter")).await?;
    println!("{}", greeter.greet("world").await?);
    Ok(())
}
