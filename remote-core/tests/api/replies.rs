//! Tests of deferred replies: callers see no difference; each reply is sent once or fails; a caller that is gone is
//! known; and nothing else waits for a reply.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::relay::Relay;
use crate::support::{DropWitness, Pair, drop_witness, only_session, poll_once, until, within};
use remote_core::{
    Error, Later, Limits, Node, Outcome, Ref, Remote, Reply, Result, SessionState, remote,
    reply_later,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A lease that ends soon, but not because the machine is busy.
const SHORT: Duration = Duration::from_secs(3);
/// A deadline before which the method has begun.
const BEGUN: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Jam {
    Paper(u32),
    Remote(Error),
}

impl From<Error> for Jam {
    fn from(error: Error) -> Jam {
        Jam::Remote(error)
    }
}

#[remote]
trait Line {
    async fn read(&self) -> Result<String>;
    async fn page(&self, number: u32) -> Result<Vec<u8>, Jam>;
    async fn next(&self) -> Result<Ref<dyn Line>>;
    async fn write(&self, text: &str) -> Result<()>;
    async fn work(&self) -> Result<()>;
}

#[derive(Remote, Default)]
#[remote(Line, serial)]
struct Wire {
    texts: Mutex<VecDeque<String>>,
    readers: Mutex<VecDeque<Reply<String>>>,
    pages: Mutex<VecDeque<Reply<Vec<u8>, Jam>>>,
    nexts: Mutex<VecDeque<Reply<Ref<dyn Line>>>>,
    may_end: Notify,
    works: Mutex<Vec<&'static str>>,
    #[allow(dead_code, reason = "it is there to be dropped")]
    witness: Option<DropWitness>,
}

#[remote]
impl Line for Wire {
    async fn read(&self) -> Result<Later<String>> {
        tokio::task::yield_now().await;
        if let Some(text) = self.texts.lock().unwrap().pop_front() {
            return Ok(text.into());
        }
        let (reply, later) = reply_later();
        self.readers.lock().unwrap().push_back(reply);
        Ok(later)
    }

    async fn page(&self, number: u32) -> Result<Later<Vec<u8>, Jam>, Jam> {
        if number == 0 {
            return Err(Jam::Paper(0));
        }
        let (reply, later) = reply_later();
        self.pages.lock().unwrap().push_back(reply);
        Ok(later)
    }

    async fn next(&self) -> Result<Later<Ref<dyn Line>>> {
        let (reply, later) = reply_later();
        self.nexts.lock().unwrap().push_back(reply);
        Ok(later)
    }

    async fn write(&self, text: &str) -> Result<()> {
        let mut text = text.to_owned();
        while let Some(reader) = self.readers.lock().unwrap().pop_front() {
            match reader.send(text) {
                Ok(()) => return Ok(()),
                Err(unwanted) => text = unwanted,
            }
        }
        self.texts.lock().unwrap().push_back(text);
        Ok(())
    }

    async fn work(&self) -> Result<()> {
        self.works.lock().unwrap().push("begun");
        self.may_end.notified().await;
        self.works.lock().unwrap().push("ended");
        Ok(())
    }
}

impl Wire {
    fn readers(&self) -> usize {
        self.readers.lock().unwrap().len()
    }

    fn take_reader(&self) -> Reply<String> {
        self.readers.lock().unwrap().pop_front().expect("somebody reads")
    }
}

/// Returns the object, and a near and a far reference to it.
async fn lines() -> (Arc<Wire>, Pair<dyn Line>, [Ref<dyn Line>; 2]) {
    let wire = Arc::new(Wire::default());
    let near: Ref<dyn Line> = Ref::from_arc(wire.clone());
    let pair = Pair::new(near.clone()).await;
    let both = [near, pair.far.clone()];
    (wire, pair, both)
}

/// Reads, in a task of its own.
fn reading(line: &Ref<dyn Line>) -> JoinHandle<Result<String>> {
    let line = line.clone();
    tokio::spawn(async move { within(line.read()).await })
}

#[tokio::test]
async fn a_deferred_reply_can_be_sent_from_anywhere() {
    let (wire, _pair, both) = lines().await;
    for line in both {
        // At once, if there is a text.
        within(line.write("at once")).await.unwrap();
        assert_eq!(within(line.read()).await, Ok("at once".into()));
        // By the object itself: it is free, since the method has returned.
        let read = reading(&line);
        until("it reads", || wire.readers() == 1).await;
        within(line.write("in turn")).await.unwrap();
        assert_eq!(within(read).await.unwrap(), Ok("in turn".into()));
        // By another task.
        let read = reading(&line);
        until("it reads", || wire.readers() == 1).await;
        let reply = wire.take_reader();
        assert!(reply.is_wanted());
        tokio::spawn(async move { reply.send("by another".into()) }).await.unwrap().unwrap();
        assert_eq!(within(read).await.unwrap(), Ok("by another".into()));
    }
}

#[tokio::test]
async fn a_reply_fails_as_the_method_would() {
    let (wire, _pair, both) = lines().await;
    for line in both {
        let error = Error::NameNotFound { name: "ink".into() };
        let read = reading(&line);
        until("it reads", || wire.readers() == 1).await;
        wire.take_reader().fail(error.clone());
        assert_eq!(within(read).await.unwrap(), Err(Error::Nested(Box::new(error))));
        // With an error of the user's type, at once and later.
        assert_eq!(within(line.page(0)).await, Err(Jam::Paper(0)));
        let paged = |number| {
            let line = line.clone();
            tokio::spawn(async move { within(line.page(number)).await })
        };
        let take = || wire.pages.lock().unwrap().pop_front();
        for number in [1, 2, 3] {
            let page = paged(number);
            until("it waits", || wire.pages.lock().unwrap().len() == 1).await;
            let reply = take().unwrap();
            let expected = match number {
                1 => reply.send(vec![7; 100_000]).map(|()| Ok(vec![7; 100_000])).unwrap(),
                2 => {
                    reply.fail(Jam::Paper(2));
                    Err(Jam::Paper(2))
                }
                _ => {
                    drop(reply);
                    Err(Jam::Remote(Error::Unanswered))
                }
            };
            assert_eq!(within(page).await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn a_reply_that_is_dropped_fails_the_call() {
    let (wire, _pair, both) = lines().await;
    for line in both {
        let read = reading(&line);
        until("it reads", || wire.readers() == 1).await;
        drop(wire.take_reader());
        let error = within(read).await.unwrap().unwrap_err();
        assert_eq!((error.outcome(), error), (Outcome::Failed, Error::Unanswered));
    }
}

#[tokio::test]
async fn a_deferred_reply_reports_that_it_is_unwanted() {
    let (wire, pair, both) = lines().await;
    for line in both {
        // Cancelled.
        let read = reading(&line);
        until("it reads", || wire.readers() == 1).await;
        let mut reply = wire.take_reader();
        let mut closed = Box::pin(reply.closed());
        assert!(poll_once(&mut closed).await.is_none());
        read.abort();
        within(closed).await;
        assert!(!reply.is_wanted());
        assert_eq!(reply.send("unheard".into()), Err("unheard".into()));
        // Its deadline has passed.
        let late = within(line.read().timeout(BEGUN)).await;
        assert_eq!(late, Err(Error::Timeout));
        let mut reply = wire.take_reader();
        within(reply.closed()).await;
        // The same for a one-way message, whose sender cannot cancel it: the deadline is known here, too.
        within(line.page(1).timeout(BEGUN).oneway()).await.unwrap();
        until("it waits", || wire.pages.lock().unwrap().len() == 1).await;
        let mut page = wire.pages.lock().unwrap().pop_front().unwrap();
        within(page.closed()).await;
        // A reply that nobody wants is returned, so that another reader can get it.
        let gone = reading(&line);
        until("it reads", || wire.readers() == 1).await;
        gone.abort();
        let read = reading(&line);
        until("both read", || wire.readers() == 2).await;
        until("one has gone", || !wire.readers.lock().unwrap()[0].is_wanted()).await;
        within(line.write("still here")).await.unwrap();
        assert_eq!(within(read).await.unwrap(), Ok("still here".into()));
    }
    let session = pair.server_session();
    until("nothing is in progress", || session.stats().calls_in == 0).await;
}

#[tokio::test]
async fn a_call_counts_until_it_is_answered() {
    let wire = Arc::new(Wire::default());
    let limits = Limits { window_calls: 4, ..Limits::default() };
    let near = Ref::<dyn Line>::from_arc(wire.clone());
    let pair = Pair::limited(near, limits, Limits::default()).await;
    let session = pair.server_session();
    let reads: Vec<_> = (0..6).map(|_| reading(&pair.far)).collect();
    until("the window is full", || wire.readers() == 4).await;
    assert_eq!(session.stats().calls_in, 4);
    until("the others wait", || pair.client_session().stats().calls_out == 6).await;
    for (number, read) in reads.into_iter().enumerate() {
        assert!(wire.readers() <= 4 && session.stats().calls_in <= 4);
        wire.take_reader().send(number.to_string()).unwrap();
        assert_eq!(within(read).await.unwrap(), Ok(number.to_string()));
        until("the next one reads", || wire.readers() == (5 - number).min(4)).await;
    }
}

#[tokio::test]
async fn a_promise_may_be_kept_too() {
    let (wire, _pair, both) = lines().await;
    let take = || wire.nexts.lock().unwrap().pop_front();
    for line in both {
        let promised = line.next().pipelined();
        let read = reading(&promised);
        let again = promised.next().pipelined();
        until("it waits", || wire.nexts.lock().unwrap().len() == 1).await;
        assert_eq!(wire.readers(), 0, "what is pipelined waits for the reply");
        take().unwrap().send(line.clone()).unwrap();
        until("and then goes on", || wire.readers() == 1).await;
        wire.take_reader().send("through a promise".into()).unwrap();
        assert_eq!(within(read).await.unwrap(), Ok("through a promise".into()));
        // A promise whose reply is dropped breaks, whatever dropped it.
        until("it waits", || wire.nexts.lock().unwrap().len() == 1).await;
        drop(take());
        let broken = within(again.read()).await;
        assert_eq!(broken, Err(Error::Broken(Box::new(Error::Unanswered))));
        assert_eq!(within(Ref::resolved(&again)).await, Err(Error::Unanswered));
    }
}

#[tokio::test]
async fn a_call_that_waits_for_its_reply_does_not_keep_the_object() {
    let (witness, mut watch) = drop_witness();
    let wire = Wire { witness: Some(witness), ..Wire::default() };
    let pair = Pair::new(Ref::<dyn Line>::new(wire)).await;
    // The reply to a one-way message goes to nobody.
    within(pair.far.read().oneway()).await.unwrap();
    let promised = pair.far.next().pipelined();
    within(pair.far.write("it has read")).await.unwrap();
    let Pair { server, client, far } = pair;
    drop(far);
    server.unpublish("object").await.unwrap();
    watch.dropped().await;
    assert_eq!(within(Ref::resolved(&promised)).await, Err(Error::Unanswered));
    drop(promised);
    until("nothing is left", || only_session(&server).stats().calls_in == 0).await;
    assert_eq!(client.sessions().len(), 1);
}

#[tokio::test]
async fn a_reply_is_unwanted_after_its_session_is_lost() {
    let wire = Arc::new(Wire::default());
    let near: Ref<dyn Line> = Ref::from_arc(wire.clone());
    let server = Node::builder().listen("tcp://127.0.0.1:0").lease(SHORT).start().await.unwrap();
    server.publish("line", near.clone()).await.unwrap();
    let relay = Relay::start(server.uri("").trim_end_matches('/'), Duration::ZERO).await;
    let client = Node::builder().lease(SHORT).start().await.unwrap();
    let far: Ref<dyn Line> = within(client.lookup(relay.uri("line"))).await.unwrap();
    let read = reading(&far);
    until("the reply is deferred", || wire.readers() == 1).await;
    within(far.work().oneway()).await.unwrap();
    // It waits for the one before, as the object is serial.
    let work = tokio::spawn(async move { within(far.work()).await });
    until("all have arrived", || only_session(&server).stats().calls_in == 3).await;
    let mut reply = wire.take_reader();
    let session = only_session(&server);
    relay.refuse().await;
    relay.cut();
    within(reply.closed()).await;
    assert_eq!(session.state(), SessionState::Ended);
    // A method whose reply is awaited ends with the lease of its caller; one that was sent a one-way message does not.
    until("the session is forgotten", || server.sessions().is_empty()).await;
    wire.may_end.notify_one();
    until("the other has ended", || wire.works.lock().unwrap().len() == 2).await;
    assert_eq!(*wire.works.lock().unwrap(), ["begun", "ended"]);
    assert_eq!(within(read).await.unwrap().unwrap_err().outcome(), Outcome::Unknown);
    assert_eq!(within(work).await.unwrap().unwrap_err().outcome(), Outcome::Unknown);
}

#[tokio::test]
async fn a_deferring_method_can_be_called_directly() {
    let wire = Wire::default();
    let give = async {
        until("it reads", || wire.readers() == 1).await;
        wire.take_reader().send("direct".into()).unwrap();
    };
    assert_eq!(within(async { tokio::join!(wire.read(), give).0 }).await, Ok("direct".into()));
    let late = within(wire.read().timeout(Duration::from_millis(10))).await;
    assert_eq!(late, Err(Error::Timeout));
    assert!(!wire.take_reader().is_wanted());
    assert_eq!(within(wire.page(0)).await, Err(Jam::Paper(0)));
    let drop_it = async {
        until("it reads", || wire.readers() == 1).await;
        drop(wire.take_reader());
    };
    assert_eq!(
        within(async { tokio::join!(wire.read(), drop_it).0 }).await,
        Err(Error::Unanswered)
    );
}
