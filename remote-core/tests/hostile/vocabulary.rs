//! Owns what a good exchange looks like, overheard between two nodes: the fingerprints of the methods, which a peer must
//! know to call them, and the bytes themselves.
//!
//! It must not make any of it up.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use remote_core::{Node, Ref, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::hello::PREFACE;
use super::stage::{LEASE, patient, run, serve, until};
use super::target::{Butt, Chain, Lists, Nest, Square, Target};
use super::wire::{Frame, LONGEST_FRAME, NAME};

/// The selectors and interfaces that nodes announce, with their fingerprints.
pub(crate) fn fingerprint(name: &str) -> u64 {
    static KNOWN: OnceLock<HashMap<String, u64>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        // On a thread of its own: tests ask from within their runtimes.
        let listening = std::thread::spawn(|| run(overhear()));
        listening.join().expect("two nodes can talk").expect("two nodes understand each other")
    });
    *known
        .get(name)
        .unwrap_or_else(|| panic!("nobody announced `{name}`; known are {:?}", known.keys()))
}

/// Has a good client call every method once, through a relay that listens.
async fn overhear() -> Result<HashMap<String, u64>> {
    let server = serve(patient(), LEASE).await?;
    let butt = Butt::default();
    let running = Arc::clone(&butt.running);
    server.publish("target", Ref::<dyn Target>::new(butt)).await?;
    let (relay, heard) =
        relay(server.uri("").trim_start_matches("tcp://").trim_end_matches('/')).await?;
    let client = Node::new();
    let target: Ref<dyn Target> = client.lookup(format!("tcp://{relay}/target")).await?;
    let own: Ref<dyn Target> = Ref::new(Butt::default());
    client.names(format!("tcp://{relay}")).await?;
    target.add(1).await?;
    target.length("text".into()).await?;
    target.bytes(vec![1, 2]).await?;
    target.words(vec!["word".into()]).await?;
    target.units(vec![(); 3]).await?;
    target.shape(Box::new(Square(4))).await?;
    target.enums(Nest::More(Box::new(Nest::End))).await?;
    target.options(Chain(None)).await?;
    target.vectors(Lists(Vec::new())).await?;
    target.child().await?;
    target.keep(own.clone()).await?;
    target.keep_all(vec![own.clone()]).await?;
    target.kept().await?;
    target.call(own).await?;
    target.large(3).await?;
    // Dropped once they run: then their names have been announced.
    let both = async { tokio::join!(target.never(), target.never_child()) };
    tokio::select! {
        _ = both => unreachable!("they never return"),
        () = until("both run", || running.load(Ordering::SeqCst) == 2) => {}
    }
    let _ = target.panics().await;
    let [client, server] = heard.lock().unwrap().clone();
    Ok(names(&client, &server).into_iter().chain(names(&server, &client)).collect())
}

/// The bytes that went each way.
type Heard = Arc<Mutex<[Vec<u8>; 2]>>;

/// Passes one connection on, and listens.
async fn relay(to: &str) -> Result<(String, Heard)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (heard, to) = (Heard::default(), to.to_owned());
    let overheard = Arc::clone(&heard);
    tokio::spawn(async move {
        let (caller, _) = listener.accept().await?;
        let (from_caller, to_caller) = caller.into_split();
        let (from_callee, to_callee) = TcpStream::connect(to).await?.into_split();
        tokio::spawn(pass(from_caller, to_callee, 0, Arc::clone(&heard)));
        tokio::spawn(pass(from_callee, to_caller, 1, heard));
        Ok::<_, std::io::Error>(())
    });
    Ok((address, overheard))
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: usize, heard: Heard) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        heard.lock().unwrap()[way].extend_from_slice(&bytes[..read]);
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// The names announced in what the one side sent, of which the other sent that.
fn names(one: &[u8], other: &[u8]) -> Vec<(String, u64)> {
    let (hello, rest) = part(&one[PREFACE.len()..]);
    let (_standing, rest) = part(rest);
    // Who has the greater identity decides.
    let decides = hello[..16] > part(&other[PREFACE.len()..]).0[..16];
    let (mut rest, mut names) = (if decides { part(rest).1 } else { rest }, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        assert!(length <= LONGEST_FRAME, "the relay lost its place");
        let Some(frame) = after.get(..length) else { break };
        let (_number, frame) = Frame::read(frame);
        if frame.kind == NAME {
            let mut fields = frame.fields();
            let _id = fields.number();
            let fingerprint = u64::from_le_bytes(fields.take(8).try_into().expect("eight bytes"));
            names.push((fields.text().to_owned(), fingerprint));
        }
        rest = &after[length..];
    }
    names
}

/// A part of an introduction, and what follows it.
fn part(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_first_chunk().expect("an introduction is complete");
    rest.split_at(u16::from_le_bytes(*length).into())
}
