//! A socket as an object with one message for each operation; two of them talk to each other.
//!
//! With `inspect` it is a prompt that sends each line to one socket, so open two terminals. Without it, both sockets are in one
//! program, with the server in a background thread.

use std::fmt;
use std::io::{Error, ErrorKind, IsTerminal, Read, Result, Write, stdin, stdout};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// The time after which `receive` fails if nothing arrives.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket in one of its states.
enum Socket {
    New,
    Listening(TcpListener),
    Connected(TcpStream),
    Closed,
}

impl Socket {
    /// Listens, and returns the port: 0 chooses a free one.
    fn listen(&mut self, port: u16) -> Result<u16> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let port = listener.local_addr()?.port();
        *self = Socket::Listening(listener);
        Ok(port)
    }

    /// Waits for a client. The socket then is the connection to this client, and no longer listens.
    fn wait_for_connection(&mut self) -> Result<()> {
        let Socket::Listening(listener) = self else { return Err(self.is_not("listening")) };
        let (stream, _) = listener.accept()?;
        *self = Socket::Connected(stream);
        Ok(())
    }

    fn connect(&mut self, port: u16) -> Result<()> {
        *self = Socket::Connected(TcpStream::connect(("127.0.0.1", port))?);
        Ok(())
    }

    /// Returns true if the other side has not closed, as far as this side knows.
    fn is_connected(&self) -> Result<bool> {
        let Socket::Connected(stream) = self else { return Ok(false) };
        stream.set_nonblocking(true)?; // look at what has arrived, without waiting
        let next = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        Ok(match next {
            Ok(bytes) => bytes > 0, // 0: the other side has closed
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        })
    }

    /// Sends, and returns the number of bytes.
    fn send(&mut self, data: &str) -> Result<usize> {
        self.stream()?.write_all(data.as_bytes())?;
        Ok(data.len())
    }

    /// Returns what has arrived, possibly from several sends; an empty string if the other side has closed.
    fn receive(&mut self) -> Result<String> {
        let mut data = [0; 1024];
        let stream = self.stream()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let length = stream.read(&mut data)?;
        Ok(String::from_utf8_lossy(&data[..length]).into_owned())
    }

    fn close(&mut self) {
        *self = Socket::Closed;
    }

    fn stream(&mut self) -> Result<&mut TcpStream> {
        match self {
            Socket::Connected(stream) => Ok(stream),
            _ => Err(self.is_not("connected")),
        }
    }

    fn is_not(&self, wanted: &str) -> Error {
        Error::other(format!("the socket is {self}, not {wanted}"))
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Socket::New => "new",
            Socket::Listening(_) => "listening",
            Socket::Connected(_) => "connected",
            Socket::Closed => "closed",
        })
    }
}

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("inspect") => inspect(),
        _ => script(),
    }
}

/// Both sides in one program.
fn script() -> Result<()> {
    let mut server = Socket::New;
    let port = server.listen(0)?;
    let background = thread::spawn(move || {
        server.wait_for_connection()?;
        server.receive()
    });

    let mut client = Socket::New;
    client.connect(port)?;
    println!("the client sent {} bytes", client.send("Hello, World!")?);
    client.close();

    let received = background.join().expect("the server did not panic")?;
    assert_eq!(received, "Hello, World!");
    println!("the server received: {received}");
    Ok(())
}

/// Sends each line of the input to one socket, and prints the result.
fn inspect() -> Result<()> {
    let mut socket = Socket::New;
    prompt()?;
    for line in stdin().lines() {
        match send(&mut socket, line?.trim()) {
            Ok(result) => println!("{result}"),
            Err(error) => println!("failed: {error}"),
        }
        prompt()?;
    }
    Ok(())
}

fn send(socket: &mut Socket, message: &str) -> Result<String> {
    let (selector, argument) = message.split_once(' ').unwrap_or((message, ""));
    let port = || argument.parse().map_err(|_| Error::other(format!("`{argument}` is not a port")));
    match selector {
        "listen" => socket.listen(port()?).map(|port| format!("listening on port {port}")),
        "wait_for_connection" => socket.wait_for_connection().map(|()| "connected".into()),
        "connect" => socket.connect(port()?).map(|()| "connected".into()),
        "is_connected" => socket.is_connected().map(|is| is.to_string()),
        "send" => socket.send(argument).map(|bytes| format!("{bytes} bytes")),
        "receive" => socket.receive().map(|data| format!("{data:?}")),
        "close" => {
            socket.close();
            Ok("closed".into())
        }
        _ => Err(Error::other(format!("a socket does not understand `{selector}`"))),
    }
}

fn prompt() -> Result<()> {
    if stdin().is_terminal() {
        print!("> ");
    }
    stdout().flush()
}
