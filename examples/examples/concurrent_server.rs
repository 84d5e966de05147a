//! A server for many clients at once: one task accepts them, each client has a task, and their shared state has a lock.
//!
//! With a port, such as `12345`, it serves there; without one it starts three clients.

use std::io::Result;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

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

    let mut clients = JoinSet::new();
    for _ in 0..3 {
        clients.spawn(async move { draw(TcpStream::connect(address).await?).await });
    }
    let mut drawn = clients.join_all().await.into_iter().collect::<Result<Vec<_>>>()?.concat();
    drawn.sort_unstable();
    assert!(drawn.iter().copied().eq(1..=30), "{drawn:?}");
    println!("3 clients sent 30 lines: each number from 1 to 30 was used once");
    Ok(())
}

/// Accepts clients, and starts a task for each.
async fn serve(listener: TcpListener) -> Result<()> {
    let lines = Arc::new(Mutex::new(0)); // the number of lines received from all clients
    loop {
        let (stream, _) = listener.accept().await?;
        let lines = lines.clone();
        tokio::spawn(async move {
            if let Err(error) = attend(stream, &lines).await {
                eprintln!("a client was lost: {error}"); // the other clients are not affected
            }
        });
    }
}

/// Sends each line of one client back, with its number.
async fn attend(stream: TcpStream, lines: &Mutex<u64>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let number = {
            let mut lines = lines.lock().unwrap();
            *lines += 1;
            *lines
        }; // the lock is released before we wait for the client
        stream.write_all(format!("{number}: {line}").as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

/// Sends ten lines as a client, and returns their numbers.
async fn draw(stream: TcpStream) -> Result<Vec<u64>> {
    let mut stream = BufReader::new(stream);
    let mut numbers = Vec::new();
    for _ in 0..10 {
        stream.write_all(b"a number, please\n").await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let number = line.split(':').next().and_then(|number| number.parse().ok());
        numbers.push(number.expect("the line begins with a number"));
    }
    Ok(numbers)
}
