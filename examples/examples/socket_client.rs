//! A TCP client: connects, sends a line, receives a line, closes. The stream closes when it is dropped, on every path.
//!
//! With an address, such as `localhost:12345`, it connects there; without one it starts its own server.

use std::io::{BufRead, BufReader, ErrorKind, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> Result<()> {
    if let Some(address) = std::env::args().nth(1) {
        println!("received: {}", exchange(&address, "Rust")?);
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let server = thread::spawn(move || greet(&listener));
    let received = exchange(&address, "Rust")?;
    assert_eq!(received, "hello, Rust");
    println!("received: {received}");
    server.join().expect("the server did not panic")
}

/// Sends a line, and returns the line that the server sends back.
fn exchange(address: &str, line: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?; // 1. connect
    writeln!(stream, "{line}")?; // 2. send a line
    let mut received = String::new();
    BufReader::new(&stream).read_line(&mut received)?; // 3. receive a line
    match received.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()), // the server closed before the end of the line
    }
} // 4. close: `stream` is dropped here, and wherever a `?` returns early

/// The built-in server: one client, one line, one reply.
fn greet(listener: &TcpListener) -> Result<()> {
    let (mut stream, _) = listener.accept()?;
    let mut name = String::new();
    BufReader::new(&stream).read_line(&mut name)?;
    write!(stream, "hello, {name}")
}
