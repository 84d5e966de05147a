//! The client of the guide's first chapter.

use std::time::Duration;

use remote_core::{Node, Ref, Result, remote};

#[remote] // the same interface; usually both programs use one library that has it
trait Greeter {
    async fn greet(&self, name: &str) -> Result<String>;
}

#[tokio::main]
async fn main() -> Result<()> {
    let uri = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:4096/greeter".into());
    let node = Node::new();
    let greeter: Ref<dyn Greeter> = node.lookup(uri).await?;
    println!("{}", greeter.greet("world").await?);

    drop(greeter); // before the end of the session, so that the server learns of it
    node.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
