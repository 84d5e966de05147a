//! A chain of calls in one round trip: messages are sent to the result of a call that has not returned yet.

use remote_core::{Error, Node, Ref, Remote, Result, remote};

#[remote]
trait Folder {
    async fn open(&self, name: &str) -> Result<Ref<dyn Folder>>;
    async fn path(&self) -> Result<String>;
}

#[derive(Remote)]
#[remote(Folder)]
struct Tree(String);

#[remote]
impl Folder for Tree {
    async fn open(&self, name: &str) -> Result<Ref<dyn Folder>> {
        if name.is_empty() {
            return Err(Error::Refused(format!("the name of an entry in {} is empty", self.0)));
        }
        Ok(Ref::new(Tree(format!("{}/{name}", self.0))))
    }

    async fn path(&self) -> Result<String> {
        Ok(self.0.clone())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Node::listen("tcp://127.0.0.1:0").await?;
    server.publish("root", Ref::<dyn Folder>::new(Tree(String::new()))).await?;
    let root: Ref<dyn Folder> = Node::new().lookup(server.uri("root")).await?;

    // Nothing is awaited before the last message: ten calls, one round trip.
    let mut folder = root.clone();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        folder = folder.open(name).pipelined();
    }
    let path = folder.path().await?;
    assert_eq!(path, "/a/b/c/d/e/f/g/h/i");
    println!("ten calls deep: {path}");

    // `resolved` waits for the object that a promise stands for.
    let folder = Ref::resolved(&folder).await?;
    assert_eq!(folder.path().await?, path);

    // If a call in the chain fails, all later ones fail with its error.
    let broken = root.open("a").pipelined().open("").pipelined().open("c").pipelined().path().await;
    let error = broken.unwrap_err();
    assert_eq!(error.root(), &Error::Refused("the name of an entry in /a is empty".into()));
    println!("a broken chain: {error}");
    Ok(())
}
