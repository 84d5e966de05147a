//! The client's end of a connection: the ids of calls and objects, and the callers that wait for replies.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::{io, mem};

use bytes::{Bytes, BytesMut};
use contract::Result;
use slab::Slab;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::oneshot;

use crate::frame::{self, Operation, Request};
use crate::outbox::Outbox;
use crate::server::SHARED_COUNTER;

#[derive(Clone)]
pub(crate) struct Connection {
    line: Arc<Line>,
}

/// A remote object. When the last clone is dropped, the server frees it.
#[derive(Clone)]
pub(crate) struct Object {
    held: Arc<Held>,
}

impl Connection {
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let (reader, writer) = socket.into_split();
        let line = Arc::new(Line {
            outbox: Outbox::default(),
            waiting: Mutex::default(),
            next_object: AtomicU32::new(SHARED_COUNTER + 1),
        });
        let (read, written) = (line.clone(), line.clone());
        let writing = tokio::spawn(async move { written.outbox.flush(writer).await });
        tokio::spawn(async move {
            if let Err(error) = read.read(reader).await {
                eprintln!("the connection broke: {error}");
            }
            writing.abort();
            read.close();
        });
        Ok(Self { line })
    }

    async fn echoed(&self, body: &[u8]) -> Result<Bytes> {
        let (sender, reply) = oneshot::channel();
        self.line.send(Waiting::Bytes(sender), Operation::Echo, SHARED_COUNTER, body)?;
        Ok(reply.await?)
    }

    /// Sends the request that creates an object, and returns the object at once, so that calls on it can be pipelined.
    fn making(
        &self,
        operation: Operation,
        from: Option<&Object>,
    ) -> Result<(Object, oneshot::Receiver<u64>)> {
        let id = self.line.next_object.fetch_add(1, Ordering::Relaxed);
        let reply = match from {
            None => self.line.ask(operation, id, &[])?,
            Some(from) => self.line.ask(operation, from.held.id, &id.to_le_bytes())?,
        };
        Ok((Object { held: Arc::new(Held { line: self.line.clone(), id }) }, reply))
    }
}

impl contract::Connection for Connection {
    type Counter = Object;

    fn counter(&self) -> Object {
        Object { held: Arc::new(Held { line: self.line.clone(), id: SHARED_COUNTER }) }
    }

    async fn make(&self) -> Result<Object> {
        let (object, reply) = self.making(Operation::Make, None)?;
        object.confirmed(reply.await?)
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self.echoed(&bytes).await?.into())
    }

    async fn echo_bytes(&self, bytes: Bytes) -> Result<Bytes> {
        self.echoed(&bytes).await
    }

    async fn chain_pipelined(&self, steps: u32) -> Result<u64> {
        let mut made = vec![self.making(Operation::Node, None)?];
        for _ in 0..steps {
            let next = self.making(Operation::Next, made.last().map(|(node, _)| node))?;
            made.push(next);
        }
        let last = made.last().map_or(SHARED_COUNTER, |(node, _)| node.held.id);
        let value = self.line.ask(Operation::Value, last, &[])?;
        for (node, reply) in made {
            node.confirmed(reply.await?)?;
        }
        Ok(value.await?)
    }

    async fn chain_awaited(&self, steps: u32) -> Result<u64> {
        let (node, reply) = self.making(Operation::Node, None)?;
        let mut node = node.confirmed(reply.await?)?;
        for _ in 0..steps {
            let (next, reply) = self.making(Operation::Next, Some(&node))?;
            node = next.confirmed(reply.await?)?;
        }
        Ok(self.line.ask(Operation::Value, node.held.id, &[])?.await?)
    }
}

impl contract::Counter for Object {
    async fn add(&self, amount: u64) -> Result<u64> {
        Ok(self.held.line.ask(Operation::Add, self.held.id, &amount.to_le_bytes())?.await?)
    }
}

impl Object {
    /// Checks that the server has created the object with this id.
    fn confirmed(self, reply: u64) -> Result<Self> {
        if reply == u64::from(self.held.id) {
            Ok(self)
        } else {
            Err(format!("asked for {}, got {reply}", self.held.id).into())
        }
    }
}

struct Held {
    line: Arc<Line>,
    id: u32,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.id != SHARED_COUNTER {
            let release =
                Request { call: 0, operation: Operation::Release, target: self.id, body: &[] };
            self.line.outbox.append(|out| release.write(out));
        }
    }
}

/// The state that callers, the writer and the reader of one connection share.
struct Line {
    outbox: Outbox,
    waiting: Mutex<Callers>,
    next_object: AtomicU32,
}

#[derive(Default)]
struct Callers {
    by_call: Slab<Waiting>,
    closed: bool,
}

enum Waiting {
    Number(oneshot::Sender<u64>),
    Bytes(oneshot::Sender<Bytes>),
}

impl Line {
    fn ask(
        &self,
        operation: Operation,
        target: u32,
        body: &[u8],
    ) -> Result<oneshot::Receiver<u64>> {
        let (sender, reply) = oneshot::channel();
        self.send(Waiting::Number(sender), operation, target, body)?;
        Ok(reply)
    }

    fn send(&self, waiting: Waiting, operation: Operation, target: u32, body: &[u8]) -> Result<()> {
        let mut callers = self.waiting.lock().expect("no panic while registering");
        if callers.closed {
            return Err("the connection is closed".into());
        }
        let call = callers.by_call.insert(waiting) as u64;
        drop(callers);
        self.outbox.append(|out| Request { call, operation, target, body }.write(out));
        Ok(())
    }

    async fn read(&self, mut socket: OwnedReadHalf) -> io::Result<()> {
        let mut buffer = BytesMut::with_capacity(64 << 10);
        while socket.read_buf(&mut buffer).await? > 0 {
            let end = frame::complete(&mut buffer)?;
            if end > 0 {
                self.deliver(buffer.split_to(end).freeze())?;
            }
            buffer.reserve(16 << 10);
        }
        Ok(())
    }

    fn deliver(&self, replies: Bytes) -> io::Result<()> {
        let mut callers = self.waiting.lock().expect("no panic while registering");
        let mut begin = 0;
        while let Some(length) = frame::peek(&replies[begin..])? {
            let end = begin + 4 + length;
            let (call, head) = frame::read_reply(&replies[begin + 4..end])?;
            let body = begin + 4 + head..end;
            // The caller may have dropped its future.
            match callers
                .by_call
                .try_remove(call as usize)
                .ok_or_else(|| frame::broken("a reply to no call"))?
            {
                Waiting::Number(caller) => drop(caller.send(frame::number(&replies[body])?)),
                Waiting::Bytes(caller) => drop(caller.send(replies.slice(body))),
            }
            begin = end;
        }
        Ok(())
    }

    /// Fails the waiting callers and all later ones.
    fn close(&self) {
        let mut callers = self.waiting.lock().expect("no panic while registering");
        callers.closed = true;
        let lost = mem::take(&mut callers.by_call);
        drop(callers);
        drop(lost);
    }
}
