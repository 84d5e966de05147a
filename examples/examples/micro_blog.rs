//! A small blog of many authors, as a text protocol on sockets: a client sends a name and then posts, one line each, and
//! receives all earlier and later posts.
//!
//! With a port, such as `12345`, it serves there, for `nc localhost 12345`; without one it starts two authors.

use std::io::Result;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// All posts, oldest first, under a lock that notifies its readers of each change.
type Blog = watch::Sender<Vec<String>>;

#[tokio::main]
async fn main() -> Result<()> {
    if let Some(port) = std::env::args().nth(1) {
        let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
        println!("listening on port {port}");
        return serve(listener).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener));

    let mut ada = BufReader::new(TcpStream::connect(address).await?);
    assert_eq!(read(&mut ada).await?, "Who are you?");
    ada.write_all(b"Ada\nIs anybody here?\n").await?;
    let asked = read(&mut ada).await?;

    let mut grace = BufReader::new(TcpStream::connect(address).await?);
    assert_eq!(read(&mut grace).await?, "Who are you?");
    grace.write_all(b"Grace\n").await?;
    assert_eq!(read(&mut grace).await?, asked); // she reads the earlier posts, too
    grace.write_all(b"I am.\n").await?;
    let answered = read(&mut ada).await?;
    assert_eq!(read(&mut grace).await?, answered);

    assert_eq!([&asked[..], &answered[..]], ["Ada: Is anybody here?", "Grace: I am."]);
    println!("{asked}\n{answered}");
    Ok(())
}

async fn serve(listener: TcpListener) -> Result<()> {
    let blog = Blog::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let blog = blog.clone();
        tokio::spawn(async move {
            if let Err(error) = attend(stream, &blog).await {
                eprintln!("a client was lost: {error}");
            }
        });
    }
}

/// Serves one client: waits for its lines and for new posts, whichever comes first.
async fn attend(mut stream: TcpStream, blog: &Blog) -> Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"Who are you?\n").await?;
    let Some(name) = lines.next_line().await? else { return Ok(()) };

    let mut posts = blog.subscribe();
    posts.mark_changed(); // the existing posts are new to this client
    let mut read = 0;
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => blog.send_modify(|posts| posts.push(format!("{name}: {line}\n"))),
                None => return Ok(()), // the client has closed
            },
            Ok(()) = posts.changed() => {
                let news = {
                    let posts = posts.borrow_and_update();
                    posts[std::mem::replace(&mut read, posts.len())..].concat()
                };
                writer.write_all(news.as_bytes()).await?; // a slow client delays only itself
            }
        }
    }
}

/// Reads the next line that the blog sends.
async fn read(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}
