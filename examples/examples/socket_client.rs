//! A client's four steps: connect, send a line, receive a line, close. The last is nowhere to be seen, and always done.
//!
//! With an address, as `localhost:12345`, it is the client of whoever listens there; without one it brings its own server.

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

/// Sends a line, and gives the line that comes back.
fn exchange(address: &str, line: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?; // 1. connect
    writeln!(stream, "{line}")?; // 2. send a line
    let mut received = String::new();
    BufReader::new(&stream).read_line(&mut received)?; // 3. receive a line
    match received.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()), // the server closed before its line ended
    }
} // 4. close: here `stream` goes, and wherever a `?` left early

/// The server that it brings: one client, one line, one answer.
fn greet(listener: &TcpListener) -> Result<()> {
    let (mut stream, _) = listener.accept()?;
    let mut name = String::new();
    BufReader::new(&stream).read_line(&mut name)?;
    write!(stream, "hello, {name}")
}
