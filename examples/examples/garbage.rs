//! An object lives while any process holds a reference to it: one object ends when its last far reference is dropped, another
//! one when its holder is killed.
//!
//! With an address, such as `tcp://127.0.0.1:12345`, it sells balloons there; with the URI of a stand and a colour it holds a
//! balloon, until Enter; without arguments it sells, and starts a second process that holds.

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
    /// Returns a new balloon. The stand keeps no reference to it: only its holders do.
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

/// Reports each balloon that it sells, with a monitor of it.
#[derive(Remote)]
#[remote(Stand)]
struct Fair(mpsc::UnboundedSender<(String, Monitor)>);

#[remote]
impl Stand for Fair {
    async fn sell(&self, colour: &str) -> Result<Ref<dyn Balloon>> {
        let balloon: Ref<dyn Balloon> = Ref::new(Filled(colour.to_owned()));
        let monitor = Ref::monitor(&balloon); // does not keep the balloon
        let _ = self.0.send((colour.to_owned(), monitor)); // fails if the program does not watch, which is fine
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

/// Starts a node with a stand and a short lease.
async fn serve(address: &str, fair: Fair) -> Result<Node> {
    let node = Node::builder().listen(address).lease(Duration::from_secs(3)).start().await?;
    node.publish("stand", Ref::<dyn Stand>::new(fair)).await?;
    Ok(node)
}

/// Runs both sides: a holder that drops its references, and one that is killed.
async fn watch() -> Result<()> {
    let (sender, mut sold) = mpsc::unbounded_channel();
    let node = serve("tcp://127.0.0.1:0", Fair(sender)).await?;
    let uri = node.uri("stand");

    let stand: Ref<dyn Stand> = Node::new().lookup(&uri).await?;
    let first = stand.sell("red").await?;
    let (_, gone) = sold.recv().await.expect("the stand reports each sale");
    let second = first.clone();
    drop(first);
    assert_eq!(second.colour().await?, "red"); // one reference keeps it
    drop(second);
    let ended = gone.await;
    assert_eq!(ended, Ended::Released);
    println!("the last reference to the red balloon was dropped: {ended}");

    let (mut holder, printed) = start_holder(&uri, "blue")?;
    println!("in another process: {printed}");
    let (_, gone) = sold.recv().await.expect("the stand reports each sale");
    holder.kill()?;
    holder.wait()?;
    let ended = gone.await;
    assert_eq!(ended, Ended::Released);
    println!("that process was killed: {ended}");
    Ok(())
}

/// Starts this program again, as a holder; returns what it prints when it holds the balloon.
fn start_holder(uri: &str, colour: &str) -> Result<(Child, String)> {
    let mut holder = Command::new(std::env::current_exe()?)
        .args([uri, colour])
        .stdin(Stdio::piped()) // it ends with its input, so that it does not outlive us
        .stdout(Stdio::piped())
        .spawn()?;
    let mut printed = String::new();
    BufReader::new(holder.stdout.take().expect("it was piped")).read_line(&mut printed)?;
    Ok((holder, printed.trim_end().to_owned()))
}

/// Sells balloons, and prints when each of them ends.
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
    println!("holding a {} balloon; press Enter to drop it", balloon.colour().await?);
    std::io::stdin().read_line(&mut String::new())?;
    drop(balloon);
    node.shutdown(Duration::from_secs(1)).await; // sends the release before the process ends
    Ok(())
}
