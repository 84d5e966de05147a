//! The simplest server: listen, accept one client, send it a line, receive one, close.
//!
//! With a port, such as `12345`, it waits there for a client; without one it starts its own client.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> Result<()> {
    if let Some(port) = std::env::args().nth(1) {
        let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?; // 1. listen
        println!("listening on port {port}");
        println!("received: {}", serve_one(&listener)?);
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let server = thread::spawn(move || serve_one(&listener));
    writeln!(client, "Smalltalk")?;
    let welcome = BufReader::new(client).lines().next().expect("the server sends a line")?;
    println!("the client received: {welcome}");
    let received = server.join().expect("the server did not panic")?;
    assert_eq!(received, "Smalltalk");
    println!("the server received: {received}");
    Ok(())
}

/// Serves the next client, and returns the line that it sent.
fn serve_one(listener: &TcpListener) -> Result<String> {
    let (mut stream, _) = listener.accept()?; // 2. accept one client: now there are two sockets
    writeln!(stream, "welcome")?; // 3. send a line
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?; // 4. receive a line
    Ok(line.trim_end().to_owned())
} // 5. close: `stream` is dropped here, also on error; `listener` when its owner drops it
