//! The micro blog again, with remote objects: the code of `micro_blog` for lines, tasks and connections is not needed.
//!
//! With an address, such as `tcp://127.0.0.1:12345`, it serves there; with the URI of a blog and a name it is that author's
//! terminal; without arguments it starts two authors.

use remote_core::{Node, Ref, Remote, Result, remote};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

/// The maximum number of posts in one reply.
const PAGE: usize = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Post {
    author: String,
    text: String,
}

#[remote]
trait Blog {
    async fn post(&self, author: &str, text: &str) -> Result<()>;
    /// Returns the posts after the first `read` ones; waits until there is one.
    async fn after(&self, read: usize) -> Result<Vec<Post>>;
}

/// All posts, oldest first, under a lock that notifies its readers of each change.
#[derive(Remote, Default)]
#[remote(Blog)]
struct Posts(watch::Sender<Vec<Post>>);

#[remote]
impl Blog for Posts {
    async fn post(&self, author: &str, text: &str) -> Result<()> {
        let post = Post { author: author.to_owned(), text: text.to_owned() };
        self.0.send_modify(|posts| posts.push(post));
        Ok(())
    }

    async fn after(&self, read: usize) -> Result<Vec<Post>> {
        let mut posts = self.0.subscribe();
        let posts = posts.wait_for(|posts| posts.len() > read).await.expect("we have the sender");
        Ok(posts.iter().skip(read).take(PAGE).cloned().collect())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => two_authors().await,
        [address] => {
            let node = serve(address).await?;
            println!("serving {}", node.uri("blog"));
            node.closed().await;
            Ok(())
        }
        [uri, name, ..] => terminal(&Node::new().lookup(uri).await?, name).await,
    }
}

async fn serve(address: &str) -> Result<Node> {
    let node = Node::listen(address).await?;
    node.publish("blog", Ref::<dyn Blog>::new(Posts::default())).await?;
    Ok(node)
}

async fn two_authors() -> Result<()> {
    let node = serve("tcp://127.0.0.1:0").await?;
    let ada: Ref<dyn Blog> = Node::new().lookup(node.uri("blog")).await?;
    let grace: Ref<dyn Blog> = Node::new().lookup(node.uri("blog")).await?;

    ada.post("Ada", "Is anybody here?").await?;
    let asked = grace.after(0).await?;
    grace.post("Grace", "I am.").await?;
    let answered = ada.after(1).await?;
    for Post { author, text } in asked.iter().chain(&answered) {
        println!("{author}: {text}");
    }
    assert_eq!(ada.after(0).await?, [asked, answered].concat());
    Ok(())
}

/// Posts each line of the input, and prints all posts.
async fn terminal(blog: &Ref<dyn Blog>, name: &str) -> Result<()> {
    let mut lines = typed();
    let mut read = 0;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => blog.post(name, &line).await?,
                None => return Ok(()),
            },
            posts = blog.after(read) => for Post { author, text } in posts? {
                println!("{author}: {text}");
                read += 1;
            },
        }
    }
}

/// Returns the lines of standard input. A thread reads them, because a read from a terminal cannot be cancelled.
fn typed() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
