//! An object lives while anybody holds a reference to it, in whatever process: watching one go when its last far reference is
//! dropped, and one when its holder is killed.
//!
//! With an address, as `tcp://127.0.0.1:12345`, it serves balloons there; with the address of a stand and a colour it holds
//! one, until Enter; without either it is the one, and starts the other.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use remote_core::{Ended, Monitor, Node, Ref, Remote, Result, remote};
use tokio::sync::mpsc;

#[remote]
trait Balloon {
    async fn colour(&self) -> Result<String>;
}

#[remote]
trait Stand {
    /// A new balloon. The stand keeps none: it is held by who asked for it, and by whom they give it to.
    async fn sell(&self, colour: &str) -> Result<Ref<dyn Balloon>>;
}

#[derive(Remote)]
#[remote(Balloon)]
struct Filled(String);

#[remote]
impl Balloon for Filled {
    async fn colour(&self) -> Result<String> {
        Ok(self.0.clone())
    }
}

/// Tells of each balloon that it sells, with a monitor that is told when it goes.
#[derive(Remote)]
#[remote(Stand)]
struct Fair(mpsc::UnboundedSender<(String, Monitor)>);

#[remote]
impl Stand for Fair {
    async fn sell(&self, colour: &str) -> Result<Ref<dyn Balloon>> {
        let balloon: Ref<dyn Balloon> = Ref::new(Filled(colour.to_owned()));
        let monitor = Ref::monitor(&balloon); // which does not hold it
        let _ = self.0.send((colour.to_owned(), monitor)); // if nobody wants to know, so be it
        Ok(balloon)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => watch().await,
        [address] => sell(address).await,
        [uri, colour, ..] => hold(uri, colour).await,
    }
}

/// A node with a stand, which does not wait long for holders of whom nothing is heard.
async fn serve(address: &str, fair: Fair) -> Result<Node> {
    let node = Node::builder().listen(address).lease(Duration::from_secs(3)).start().await?;
    node.publish("stand", Ref::<dyn Stand>::new(fair)).await?;
    Ok(node)
}

/// Both sides: a holder that lets go, and one that is killed.
async fn watch() -> Result<()> {
    let (sender, mut sold) = mpsc::unbounded_channel();
    let node = serve("tcp://127.0.0.1:0", Fair(sender)).await?;
    let uri = node.uri("stand");

    let stand: Ref<dyn Stand> = Node::new().lookup(&uri).await?;
    let first = stand.sell("red").await?;
    let (_, gone) = sold.recv().await.expect("the stand tells");
    let second = first.clone();
    drop(first);
    assert_eq!(second.colour().await?, "red"); // one reference is enough
    drop(second);
    let ended = gone.await;
    assert_eq!(ended, Ended::Released);
    println!("the last reference to the red balloon was dropped: {ended}");

    let (mut holder, told) = start_holder(&uri, "blue")?;
    println!("in another process: {told}");
    let (_, gone) = sold.recv().await.expect("the stand tells");
    holder.kill()?;
    holder.wait()?;
    let ended = gone.await;
    assert_eq!(ended, Ended::Released);
    println!("that process was killed: {ended}");
    Ok(())
}

/// This program once more, as a holder; what it says when it holds.
fn start_holder(uri: &str, colour: &str) -> Result<(Child, String)> {
    let mut holder = Command::new(std::env::current_exe()?)
        .args([uri, colour])
        .stdin(Stdio::piped()) // it lets go when this ends, so that it never outlives us
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = String::new();
    BufReader::new(holder.stdout.take().expect("it was piped")).read_line(&mut told)?;
    Ok((holder, told.trim_end().to_owned()))
}

/// Sells balloons, and says which are gone.
async fn sell(address: &str) -> Result<()> {
    let (sender, mut sold) = mpsc::unbounded_channel();
    let node = serve(address, Fair(sender)).await?;
    println!("selling at {}", node.uri("stand"));
    while let Some((colour, gone)) = sold.recv().await {
        println!("sold: {colour}");
        tokio::spawn(async move { println!("{colour}: {}", gone.await) });
    }
    Ok(())
}

/// Holds a balloon until Enter.
async fn hold(uri: &str, colour: &str) -> Result<()> {
    let node = Node::new();
    let stand: Ref<dyn Stand> = node.lookup(uri).await?;
    let balloon = stand.sell(colour).await?;
    println!("holding a {} balloon; Enter lets it go", balloon.colour().await?);
    std::io::stdin().read_line(&mut String::new())?;
    drop(balloon);
    node.shutdown(Duration::from_secs(1)).await; // the stand hears of it before the process ends
    Ok(())
}
