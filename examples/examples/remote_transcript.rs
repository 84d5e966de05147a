//! A Transcript that many processes share: what they show is printed in the terminal of the process that serves it.
//!
//! With an address, such as `tcp://127.0.0.1:12345`, it serves there; with the URI of a transcript and a text it shows the
//! text there; without arguments it does both.

use remote_core::{Node, Ref, Remote, Result, remote};

#[remote]
trait Transcript {
    async fn show(&self, text: &str) -> Result<()>;
}

#[derive(Remote)]
#[remote(Transcript)]
struct Terminal;

#[remote]
impl Transcript for Terminal {
    async fn show(&self, text: &str) -> Result<()> {
        println!("{text}");
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => show(&serve("tcp://127.0.0.1:0").await?.uri("transcript"), "Hello, World!").await?,
        [address] => serve(address).await?.closed().await,
        [uri, words @ ..] => show(uri, &words.join(" ")).await?,
    }
    Ok(())
}

async fn serve(address: &str) -> Result<Node> {
    let node = Node::listen(address).await?;
    node.publish("transcript", Ref::<dyn Transcript>::new(Terminal)).await?;
    println!("serving {}", node.uri("transcript"));
    Ok(node)
}

async fn show(uri: &str, text: &str) -> Result<()> {
    let transcript: Ref<dyn Transcript> = Node::new().lookup(uri).await?;
    transcript.show(text).await
}
