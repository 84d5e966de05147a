//! The fingerprints of methods, which a peer needs to call them. They are recorded from a valid exchange between two
//! nodes, and not computed here.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use remote_core::{Node, Ref, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::hello::PREFACE;
use super::setup::{LEASE, patient, run, serve, until};
use super::target::{Chain, Lists, Nest, Square, Target, TargetObject};
use super::wire::{Frame, LONGEST_FRAME, NAME};

/// Returns the fingerprint of a selector or interface, as nodes announce it.
pub(crate) fn fingerprint(name: &str) -> u128 {
    static KNOWN: OnceLock<HashMap<String, u128>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        // On a thread of its own: tests call this inside their runtimes.
        let listening = std::thread::spawn(|| run(record()));
        listening.join().expect("two nodes can talk").expect("two nodes understand each other")
    });
    *known
        .get(name)
        .unwrap_or_else(|| panic!("nobody announced `{name}`; known are {:?}", known.keys()))
}

/// Has an honest client call every method once, through a relay that records the bytes.
async fn record() -> Result<HashMap<String, u128>> {
    let server = serve(patient(), LEASE).await?;
    let object = TargetObject::default();
    let running = Arc::clone(&object.running);
    server.publish("target", Ref::<dyn Target>::new(object)).await?;
    let (relay, recorded) =
        relay(server.uri("").trim_start_matches("tcp://").trim_end_matches('/')).await?;
    let client = Node::new();
    let target: Ref<dyn Target> = client.lookup(format!("tcp://{relay}/target")).await?;
    let own: Ref<dyn Target> = Ref::new(TargetObject::default());
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
    // Dropped when they run: then their names have been announced.
    let all = async { tokio::join!(target.never(), target.never_child(), target.hold(vec![1])) };
    tokio::select! {
        _ = all => unreachable!("they never return"),
        () = until("all run", || running.load(Ordering::SeqCst) == 3) => {}
    }
    let _ = target.panics().await;
    let [client, server] = recorded.lock().unwrap().clone();
    Ok(names(&client, &server).into_iter().chain(names(&server, &client)).collect())
}

/// The bytes in each direction.
type Recorded = Arc<Mutex<[Vec<u8>; 2]>>;

/// Relays one connection, and records it.
async fn relay(to: &str) -> Result<(String, Recorded)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (recorded, to) = (Recorded::default(), to.to_owned());
    let overheard = Arc::clone(&recorded);
    tokio::spawn(async move {
        let (caller, _) = listener.accept().await?;
        let (from_caller, to_caller) = caller.into_split();
        let (from_callee, to_callee) = TcpStream::connect(to).await?.into_split();
        tokio::spawn(pass(from_caller, to_callee, 0, Arc::clone(&recorded)));
        tokio::spawn(pass(from_callee, to_caller, 1, recorded));
        Ok::<_, std::io::Error>(())
    });
    Ok((address, overheard))
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: usize, recorded: Recorded) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        recorded.lock().unwrap()[way].extend_from_slice(&bytes[..read]);
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// Returns the names that one side announced, given the bytes of both sides.
fn names(one: &[u8], other: &[u8]) -> Vec<(String, u128)> {
    let (hello, rest) = part(&one[PREFACE.len()..]);
    let (_standing, rest) = part(rest);
    // The side with the greater identity is the decider.
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
            let fingerprint =
                u128::from_be_bytes(fields.take(16).try_into().expect("sixteen bytes"));
            names.push((fields.text().to_owned(), fingerprint));
        }
        rest = &after[length..];
    }
    names
}

/// Returns a message of the handshake, and the bytes after it.
fn part(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_first_chunk().expect("an introduction is complete");
    rest.split_at(u16::from_le_bytes(*length).into())
}
