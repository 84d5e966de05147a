//! An echo service and its client, whose sockets are objects: they accept and read on credit, and send each event to the object
//! that controls them. The sockets may belong to a node on another machine.
//!
//! With a port, such as `12345`, it serves there until `kill` is typed and the last session has ended; a second argument (`raw`,
//! `prefixed`) selects units of work other than lines. Without arguments it starts a client.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use remote_core::socket::{
    Policy, ServerController, ServerSocket, Socket, SocketController, Sockets, WorkUnit, WorkUnits,
};
use remote_core::{
    Ended, Error, Later, Node, Ref, Remote, Reply, Result, remote, reply_later, this,
};
use tokio::sync::mpsc;

/// Accepts connections, and creates a session for each.
#[derive(Remote)]
#[remote(ServerController)]
struct EchoService {
    units: WorkUnits,
    sessions: AtomicU64,
    /// Receives a message for each session that has ended.
    ended: mpsc::UnboundedSender<String>,
}

impl EchoService {
    /// Starts a service; returns it with the socket that it controls, which has credit for one connection.
    async fn start(
        sockets: &Ref<dyn Sockets>,
        address: &str,
        units: WorkUnits,
        ended: mpsc::UnboundedSender<String>,
    ) -> Result<(Ref<dyn ServerController>, Ref<dyn ServerSocket>)> {
        let sessions = AtomicU64::new(0);
        let service: Ref<dyn ServerController> = Ref::new(EchoService { units, sessions, ended });
        let sock = sockets.listen(address, service.clone()).await?;
        sock.issue_credit(1).await?;
        Ok((service, sock))
    }
}

#[remote]
impl ServerController for EchoService {
    async fn ready(&self, _: Ref<dyn ServerSocket>, address: &str) -> Result<()> {
        println!("accepting connections at tcp://{address}");
        Ok(())
    }

    async fn accepted(&self, sock: Ref<dyn ServerSocket>, conn: Ref<dyn Socket>) -> Result<()> {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        println!("session {number}: accepted");
        let session: Ref<dyn SocketController> =
            Ref::new(EchoSession { number, units: self.units, conn: OnceLock::new() });
        let (monitor, ended) = (Ref::monitor(&session), self.ended.clone());
        tokio::spawn(async move {
            let _ = ended.send(format!("session {number} has ended: {}", monitor.await));
        });
        conn.controlled_by(session).await?;
        sock.issue_credit(1).await // for the next one
    }
}

/// The session with one client.
#[derive(Remote)]
#[remote(SocketController, serial)]
struct EchoSession {
    number: u64,
    units: WorkUnits,
    /// Kept, because a socket without references is closed.
    conn: OnceLock<Ref<dyn Socket>>,
}

#[remote]
impl SocketController for EchoSession {
    async fn connected(&self, conn: Ref<dyn Socket>) -> Result<()> {
        let conn = self.conn.get_or_init(|| conn);
        conn.work_units(self.units).await?;
        conn.issue_credit(1).await
    }

    async fn data(&self, conn: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
        println!("session {}: received {}", self.number, unit.as_bytes().escape_ascii());
        match (self.units, unit) {
            (_, WorkUnit::Line(line)) => conn.send_line(&format!("You said: {line}")).await?,
            (WorkUnits::Prefixed { .. }, unit) => conn.send_prefixed(unit.as_bytes()).await?,
            (_, unit) => conn.send(unit.as_bytes()).await?,
        }
        conn.issue_credit(1).await // for the next one
    }

    async fn closed(&self, _: Ref<dyn Socket>, failure: Option<Error>) -> Result<()> {
        let reason = failure.map_or("disconnected".to_owned(), |error| error.to_string());
        Ref::stop(&this::<dyn SocketController>(), &reason)
    }
}

/// A client of the service.
#[remote]
trait Echo {
    /// Sends a line, and returns the line that the service sends back.
    async fn send_line(&self, line: &str) -> Result<String>;
    async fn stop(&self) -> Result<()>;
}

#[derive(Remote, Default)]
#[remote(Echo, SocketController, serial)]
struct EchoClient {
    conn: OnceLock<Ref<dyn Socket>>,
    readers: Mutex<VecDeque<Reply<String>>>,
}

impl EchoClient {
    async fn connect(sockets: &Ref<dyn Sockets>, address: &str) -> Result<Ref<dyn Echo>> {
        let client = Arc::new(EchoClient::default());
        let conn = sockets.connect(address, Ref::from_arc(client.clone())).await?;
        client.conn.get_or_init(|| conn);
        Ok(Ref::from_arc(client))
    }
}

#[remote]
impl Echo for EchoClient {
    async fn send_line(&self, line: &str) -> Result<Later<String>> {
        let conn = self.conn.get().expect("it is connected");
        let (reader, later) = reply_later();
        self.readers.lock().unwrap().push_back(reader);
        conn.send_line(line).await?;
        conn.issue_credit(1).await?; // for the line that comes back
        Ok(later)
    }

    async fn stop(&self) -> Result<()> {
        Ref::stop(&this::<dyn Echo>(), "enough")
    }
}

#[remote]
impl SocketController for EchoClient {
    async fn connected(&self, conn: Ref<dyn Socket>) -> Result<()> {
        conn.work_units(WorkUnits::lines()).await
    }

    async fn data(&self, _: Ref<dyn Socket>, unit: WorkUnit) -> Result<()> {
        let reader = self.readers.lock().unwrap().pop_front();
        if let (Some(reader), WorkUnit::Line(line)) = (reader, unit) {
            let _ = reader.send(line); // fails if the caller no longer waits
        }
        Ok(())
    }

    async fn closed(&self, _: Ref<dyn Socket>, _: Option<Error>) -> Result<()> {
        self.readers.lock().unwrap().clear(); // the waiting callers get an error
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(port) = arguments.first() else { return converse().await };
    let units = match arguments.get(1).map(String::as_str) {
        Some("raw") => WorkUnits::raw(),
        Some("prefixed") => WorkUnits::prefixed(),
        _ => WorkUnits::lines(),
    };
    let node = Node::builder().sockets(Policy::loopback()).start().await?;
    let (ended, mut ends) = mpsc::unbounded_channel();
    let address = format!("127.0.0.1:{port}");
    let mut service = Some(EchoService::start(&node.sockets(), &address, units, ended).await?);
    let mut typed = typed();
    loop {
        tokio::select! {
            Some(line) = typed.recv() => if line == "kill" && let Some((service, sock)) = service.take() {
                Ref::stop(&service, "killed")?;
                println!("the listening socket: {}", Ref::monitor(&sock).await);
            },
            end = ends.recv() => match end {
                Some(end) => println!("{end}"),
                None => return Ok(()), // the service and all its sessions have ended
            },
        }
    }
}

/// Runs a service and a client, on the sockets of another node.
async fn converse() -> Result<()> {
    let gateway =
        Node::builder().listen("tcp://127.0.0.1:0").sockets(Policy::loopback()).start().await?;
    gateway.publish("sockets", gateway.sockets()).await?;
    let sockets: Ref<dyn Sockets> = Node::new().lookup(gateway.uri("sockets")).await?;

    let (ended, mut ends) = mpsc::unbounded_channel();
    let started = EchoService::start(&sockets, "127.0.0.1:0", WorkUnits::lines(), ended);
    let (service, sock) = started.await?;
    let address = sock.address().await?;
    let client = EchoClient::connect(&sockets, &address).await?;
    println!("{}", client.send_line("hello").await?);
    let (one, two) = tokio::join!(client.send_line("one"), client.send_line("two"));
    assert_eq!((one?.as_str(), two?.as_str()), ("You said: one", "You said: two"));

    Ref::stop(&service, "killed")?;
    let end = Ref::monitor(&sock).await;
    assert!(matches!(end, Ended::Stopped(_)));
    let refused = EchoClient::connect(&sockets, &address).await.unwrap_err();
    assert!(matches!(refused.root(), Error::NotConnected { .. }));
    println!("{}", client.send_line("still there?").await?); // the session continues

    client.stop().await?;
    println!("{}", ends.recv().await.expect("it ends with its connection"));
    Ok(())
}

/// Returns the lines of standard input. A thread reads them, because a read from a terminal cannot be cancelled.
fn typed() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(std::io::Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
