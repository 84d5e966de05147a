//! The server: for each connection, a loop that executes the requests in order, and the table of its objects.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, BytesMut};
use contract::Result;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

use crate::frame::{self, Operation, Request};
use crate::outbox::Outbox;

/// The id of the counter that all connections share.
pub(crate) const SHARED_COUNTER: u32 = 0;

pub(crate) async fn serve(listener: TcpListener) -> Result<()> {
    let shared = Arc::new(Object::Counter(AtomicU64::new(0)));
    loop {
        let (socket, _) = listener.accept().await?;
        let table = Table { objects: HashMap::from([(SHARED_COUNTER, shared.clone())]) };
        tokio::spawn(async move {
            if let Err(error) = serve_connection(socket, table).await {
                eprintln!("a connection broke: {error}");
            }
        });
    }
}

async fn serve_connection(socket: TcpStream, table: Table) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (reader, writer) = socket.into_split();
    let outbox = Arc::new(Outbox::default());
    let flushed = outbox.clone();
    let writing = tokio::spawn(async move { flushed.flush(writer).await });
    let read = answer(reader, table, &outbox).await;
    writing.abort();
    read
}

async fn answer(mut socket: OwnedReadHalf, mut table: Table, outbox: &Outbox) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(64 << 10);
    while socket.read_buf(&mut buffer).await? > 0 {
        let end = frame::complete(&mut buffer)?;
        outbox.append(|out| table.execute_all(&buffer[..end], out))?;
        buffer.advance(end);
        buffer.reserve(16 << 10);
    }
    Ok(())
}

enum Object {
    Counter(AtomicU64),
    Node(u64),
}

/// The objects of one connection. Only its loop uses them, so that no lock is needed.
struct Table {
    objects: HashMap<u32, Arc<Object>>,
}

impl Table {
    fn execute_all(&mut self, mut frames: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        while let Some(length) = frame::peek(frames)? {
            let (frame, rest) = frames[4..].split_at(length);
            let request = Request::read(frame)?;
            if request.operation == Operation::Echo {
                frame::write_reply(out, request.call, request.body);
            } else if let Some(number) = self.execute(&request)? {
                frame::write_reply(out, request.call, &number.to_le_bytes());
            }
            frames = rest;
        }
        Ok(())
    }

    fn execute(&mut self, request: &Request<'_>) -> io::Result<Option<u64>> {
        let target = request.target;
        Ok(Some(match request.operation {
            Operation::Add => {
                let amount = frame::number(request.body)?;
                match self.find(target)? {
                    Object::Counter(sum) => sum.fetch_add(amount, Ordering::Relaxed) + amount,
                    Object::Node(_) => return Err(frame::broken("a node is not a counter")),
                }
            }
            Operation::Make => self.insert(target, Object::Counter(AtomicU64::new(0))),
            Operation::Node => self.insert(target, Object::Node(0)),
            Operation::Next => {
                let next = frame::object(request.body)?;
                let value = self.value(target)?;
                self.insert(next, Object::Node(value + 1))
            }
            Operation::Value => self.value(target)?,
            Operation::Echo => return Err(frame::broken("an echo has no number")),
            Operation::Release => {
                self.objects.remove(&target);
                return Ok(None);
            }
        }))
    }

    fn insert(&mut self, id: u32, object: Object) -> u64 {
        self.objects.insert(id, Arc::new(object));
        u64::from(id)
    }

    fn value(&self, id: u32) -> io::Result<u64> {
        match self.find(id)? {
            Object::Node(value) => Ok(*value),
            Object::Counter(_) => Err(frame::broken("a counter has no value")),
        }
    }

    fn find(&self, id: u32) -> io::Result<&Object> {
        self.objects.get(&id).map(Arc::as_ref).ok_or_else(|| frame::broken("no such object"))
    }
}
