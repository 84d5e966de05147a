//! Datagrams: each arrives whole or not at all, and the sender is not informed. First with plain sockets, then as one-way
//! messages to an object.
//!
//! With a port, such as `12345`, it prints what arrives there, for `nc -u 127.0.0.1 12345`; with an address, such as
//! `udp://127.0.0.1:12345`, it serves a transcript there; with the URI of a transcript and a text it sends the text there;
//! without arguments it shows what is sent, lost and refused.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use remote_core::{Error, Node, Outcome, Ref, Remote, Result, remote};
use tokio::sync::Notify;

const HERE: &str = "127.0.0.1:0";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => {
            by_sockets()?;
            by_messages()
        }
        [port] if port.parse::<u16>().is_ok() => Ok(receive(port)?),
        [address] => serve(address),
        [uri, words @ ..] => show(uri, &words.join(" ")),
    }
}

/// Prints each datagram, and replies with its length.
fn receive(port: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(format!("127.0.0.1:{port}"))?; // no listening, no accepting
    println!("receiving on port {port}");
    let mut buffer = [0; 65_507];
    loop {
        let (length, sender) = socket.recv_from(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..length]);
        println!("{}", text.trim_end());
        socket.send_to(format!("{length} bytes\n").as_bytes(), sender)?;
    }
}

fn by_sockets() -> io::Result<()> {
    let (sender, receiver) = (UdpSocket::bind(HERE)?, UdpSocket::bind(HERE)?);
    let address = receiver.local_addr()?;
    receiver.set_nonblocking(true)?; // `recv` fails if nothing has arrived

    sender.send_to(b"how", address)?;
    sender.send_to(b"are you?", address)?;
    let mut buffer = [0; 65_507];
    let first = receiver.recv(&mut buffer)?;
    let second = receiver.recv(&mut buffer)?;
    assert_eq!((first, second), (3, 8));
    println!("two datagrams: {first} bytes, {second} bytes");

    assert!(sender.send_to(&[0; 65_508], address).is_err());
    println!("65508 bytes: too large for a datagram");

    for _ in 0..10_000 {
        sender.send_to(b"are you reading this?", address)?; // succeeds each time
    }
    let received = std::iter::from_fn(|| receiver.recv(&mut buffer).ok()).count();
    assert!(received < 10_000);
    println!("10000 datagrams to a receiver that does not read: some are lost");

    drop(receiver);
    sender.send_to(b"anybody?", address)?;
    println!("to a port without a receiver: sent");
    Ok(())
}

#[remote]
trait Transcript {
    async fn show(&self, text: &str) -> Result<()>;
    async fn copy_to(&self, other: Ref<dyn Transcript>) -> Result<()>;
}

#[derive(Remote, Clone, Default)]
#[remote(Transcript)]
struct Terminal(Arc<Notify>);

#[remote]
impl Transcript for Terminal {
    async fn show(&self, text: &str) -> Result<()> {
        println!("{text}");
        self.0.notify_one();
        Ok(())
    }

    async fn copy_to(&self, other: Ref<dyn Transcript>) -> Result<()> {
        other.show("a copy").await
    }
}

#[tokio::main]
async fn serve(address: &str) -> Result<()> {
    let node = Node::listen(address).await?;
    node.publish("transcript", Ref::<dyn Transcript>::new(Terminal::default())).await?;
    println!("serving {}", node.uri("transcript"));
    node.closed().await;
    Ok(())
}

#[tokio::main]
async fn show(uri: &str, text: &str) -> Result<()> {
    let transcript: Ref<dyn Transcript> = Node::new().lookup(uri).await?; // sends nothing
    transcript.show(text).oneway().await
}

#[tokio::main]
async fn by_messages() -> Result<()> {
    let (server, terminal) = (Node::listen("udp://127.0.0.1:0").await?, Terminal::default());
    server.publish("transcript", Ref::<dyn Transcript>::new(terminal.clone())).await?;
    let client = Node::new();
    let transcript: Ref<dyn Transcript> = client.lookup(server.uri("transcript")).await?;
    transcript.show("a message: a datagram").oneway().await?;
    terminal.0.notified().await;

    let nothing: Ref<dyn Transcript> = client.lookup(server.uri("nothing")).await?;
    nothing.show("not printed").oneway().await?;
    println!("to a name that is not published: sent");

    for refused in [
        transcript.show("a call").await,
        transcript.copy_to(Ref::new(Terminal::default())).oneway().await,
        transcript.show(&"x".repeat(2000)).oneway().await,
    ] {
        let error: Error = refused.expect_err("udp:// does not carry it");
        assert_eq!(error.outcome(), Outcome::NotExecuted);
        println!("refused: {error}");
    }
    Ok(())
}
