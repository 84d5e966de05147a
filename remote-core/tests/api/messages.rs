//! Tests of values and references in messages: values arrive unchanged, also polymorphic ones; references at any depth;
//! and a message or value that is not known is refused by name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

use crate::support::{Pair, fresh_address, within};
use remote_core::{Error, Node, Outcome, Ref, Remote, Result, remote};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Numbered(u32),
    Named { name: String, tags: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    kinds: Vec<Kind>,
    weights: BTreeMap<String, Option<f64>>,
    inner: Option<Box<Parcel>>,
    unit: (),
    tuple: (i8, u128, char, bool),
}

#[typetag::serde]
trait Shape: Send + Sync {
    fn area(&self) -> f64;

    /// Returns the reference inside the value.
    fn owner(&self) -> Option<&Ref<dyn Listener>> {
        None
    }
}

#[derive(Serialize, Deserialize)]
struct Square(f64);

#[typetag::serde]
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

#[derive(Serialize, Deserialize)]
struct Owned {
    by: Ref<dyn Listener>,
}

#[typetag::serde]
impl Shape for Owned {
    fn area(&self) -> f64 {
        1.0
    }

    fn owner(&self) -> Option<&Ref<dyn Listener>> {
        Some(&self.by)
    }
}

/// A class that only its sender has: written by hand, and not registered.
#[derive(Serialize)]
struct Ghost;

impl Shape for Ghost {
    fn area(&self) -> f64 {
        0.0
    }

    fn typetag_name(&self) -> &'static str {
        "Ghost"
    }

    fn typetag_deserialize(&self) {}
}

#[derive(Serialize, Deserialize)]
struct Drawing {
    shapes: Vec<Box<dyn Shape>>,
    frame: Option<Box<dyn Shape>>,
}

#[derive(Serialize, Deserialize)]
struct Post {
    rows: Vec<Vec<Option<Ref<dyn Listener>>>>,
    by_name: HashMap<String, (u8, Ref<dyn Listener>)>,
    shape: Box<dyn Shape>,
}

#[remote]
trait Listener {
    async fn receive(&self, text: &str) -> Result<u32>;
}

#[derive(Remote, Default)]
#[remote(Listener)]
struct Recorder(Mutex<Vec<String>>);

#[remote]
impl Listener for Recorder {
    async fn receive(&self, text: &str) -> Result<u32> {
        let mut lines = self.0.lock().unwrap();
        lines.push(text.to_owned());
        Ok(lines.len() as u32)
    }
}

#[remote]
trait Desk {
    async fn parcel(&self, parcel: Parcel, copy: &Parcel) -> Result<(Parcel, bool)>;
    async fn bytes(&self, owned: Vec<u8>, lent: &[u8], text: &str) -> Result<Vec<u8>>;
    async fn area(&self, one: Box<dyn Shape>, drawing: Drawing) -> Result<f64>;
    async fn squares(&self, sides: Vec<f64>) -> Result<Vec<Box<dyn Shape>>>;
    async fn ghost(&self) -> Result<Option<Box<dyn Shape>>>;
    async fn call_all(&self, post: Post) -> Result<u32>;
    async fn keep(&self, listener: Ref<dyn Listener>) -> Result<()>;
    async fn kept(&self) -> Result<Vec<Ref<dyn Listener>>>;
    async fn own(&self) -> Result<Ref<dyn Listener>>;
    /// Returns a new listener.
    async fn another(&self) -> Result<Ref<dyn Listener>>;
    async fn is_own(&self, listener: Ref<dyn Listener>) -> Result<(bool, bool)>;
}

#[derive(Remote)]
#[remote(Desk)]
struct Bureau {
    own: Ref<dyn Listener>,
    kept: Mutex<Vec<Ref<dyn Listener>>>,
}

fn office() -> Ref<dyn Desk> {
    Ref::new(Bureau { own: Ref::new(Recorder::default()), kept: Mutex::default() })
}

#[remote]
impl Desk for Bureau {
    async fn parcel(&self, parcel: Parcel, copy: &Parcel) -> Result<(Parcel, bool)> {
        let same = parcel == *copy;
        Ok((parcel, same))
    }

    async fn bytes(&self, owned: Vec<u8>, lent: &[u8], text: &str) -> Result<Vec<u8>> {
        Ok([owned.as_slice(), lent, text.as_bytes()].concat())
    }

    async fn area(&self, one: Box<dyn Shape>, drawing: Drawing) -> Result<f64> {
        let all = drawing.shapes.iter().chain(&drawing.frame);
        Ok(one.area() + all.map(|shape| shape.area()).sum::<f64>())
    }

    async fn squares(&self, sides: Vec<f64>) -> Result<Vec<Box<dyn Shape>>> {
        Ok(sides.into_iter().map(|side| Box::new(Square(side)) as Box<dyn Shape>).collect())
    }

    async fn ghost(&self) -> Result<Option<Box<dyn Shape>>> {
        let ghost: Box<dyn Shape> = Box::new(Ghost);
        Ok(Some(ghost))
    }

    async fn call_all(&self, post: Post) -> Result<u32> {
        let mut calls = 0;
        let rows = post.rows.iter().flatten().flatten();
        let named = post.by_name.values().map(|(_, listener)| listener);
        for listener in rows.chain(named).chain(post.shape.owner()) {
            listener.receive("called back").await?;
            calls += 1;
        }
        Ok(calls)
    }

    async fn keep(&self, listener: Ref<dyn Listener>) -> Result<()> {
        self.kept.lock().unwrap().push(listener);
        Ok(())
    }

    async fn kept(&self) -> Result<Vec<Ref<dyn Listener>>> {
        Ok(self.kept.lock().unwrap().clone())
    }

    async fn own(&self) -> Result<Ref<dyn Listener>> {
        Ok(self.own.clone())
    }

    async fn another(&self) -> Result<Ref<dyn Listener>> {
        Ok(Ref::new(Recorder::default()))
    }

    async fn is_own(&self, listener: Ref<dyn Listener>) -> Result<(bool, bool)> {
        Ok((listener == self.own, Ref::is_near(&listener)))
    }
}

fn parcel() -> Parcel {
    let leaf = Parcel {
        kinds: vec![Kind::Plain, Kind::Numbered(7)],
        weights: BTreeMap::from([("light".into(), Some(0.5)), ("unknown".into(), None)]),
        inner: None,
        unit: (),
        tuple: (-8, u128::MAX, 'ß', true),
    };
    let named = Kind::Named { name: "naïve".into(), tags: vec!["a".into(), String::new()] };
    Parcel { kinds: vec![named], inner: Some(Box::new(leaf.clone())), ..leaf }
}

#[tokio::test]
async fn values_arrive_as_they_were() {
    let pair = Pair::new(office()).await;
    assert_eq!(within(pair.far.parcel(parcel(), &parcel())).await, Ok((parcel(), true)));
    let other = Parcel { inner: None, ..parcel() };
    assert_eq!(within(pair.far.parcel(other.clone(), &parcel())).await, Ok((other, false)));
    let joined = within(pair.far.bytes(vec![0, 255], &[1, 2], "ü")).await;
    assert_eq!(joined, Ok(vec![0, 255, 1, 2, 0xc3, 0xbc]));
}

#[tokio::test]
async fn near_and_far_objects_receive_copies() {
    let near = office();
    assert_eq!(near.parcel(parcel(), &parcel()).await, Ok((parcel(), true)));
    assert!(
        matches!(near.ghost().await, Err(error) if error.root() == &Error::UnknownClass("Ghost".into()))
    );
}

#[tokio::test]
async fn polymorphic_values_keep_their_class() {
    let pair = Pair::new(office()).await;
    let drawing = Drawing {
        shapes: vec![Box::new(Square(2.0)), Box::new(Square(3.0))],
        frame: Some(Box::new(Square(4.0))),
    };
    assert_eq!(
        within(pair.far.area(Box::new(Square(1.0)), drawing)).await,
        Ok(1.0 + 4.0 + 9.0 + 16.0)
    );
    let squares = within(pair.far.squares(vec![2.0, 5.0])).await.unwrap();
    let areas: Vec<f64> = squares.iter().map(|shape| shape.area()).collect();
    assert_eq!(areas, [4.0, 25.0]);
}

#[tokio::test]
async fn an_unknown_class_is_named_and_the_connection_continues() {
    let pair = Pair::new(office()).await;
    let drawing = Drawing { shapes: vec![Box::new(Square(2.0)), Box::new(Ghost)], frame: None };
    let error = within(pair.far.area(Box::new(Square(1.0)), drawing)).await.unwrap_err();
    assert_eq!(error, Error::UnknownClass("Ghost".into()));
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    let Err(error) = within(pair.far.ghost()).await else { panic!("there are no ghosts") };
    assert_eq!(error.root(), &Error::UnknownClass("Ghost".into()));
    assert_eq!(error.outcome(), Outcome::Failed, "the method was executed: {error}");
    assert_eq!(within(pair.far.bytes(vec![], &[], "on")).await, Ok(b"on".to_vec()));
    assert_eq!(pair.client.sessions().len(), 1);
}

#[tokio::test]
async fn references_travel_at_any_depth_and_are_called_back() {
    let pair = Pair::new(office()).await;
    let recorder = std::sync::Arc::new(Recorder::default());
    let listener = || Ref::<dyn Listener>::from_arc(std::sync::Arc::clone(&recorder));
    let post = Post {
        rows: vec![vec![], vec![Some(listener()), None], vec![Some(listener())]],
        by_name: HashMap::from([("one".into(), (1, listener())), ("two".into(), (2, listener()))]),
        shape: Box::new(Owned { by: listener() }),
    };
    assert_eq!(within(pair.far.call_all(post)).await, Ok(5));
    assert_eq!(*recorder.0.lock().unwrap(), ["called back"; 5]);
}

#[tokio::test]
async fn a_reference_returned_to_its_owner_is_the_original() {
    let pair = Pair::new(office()).await;
    let mine = Ref::<dyn Listener>::new(Recorder::default());
    within(pair.far.keep(mine.clone())).await.unwrap();
    within(pair.far.keep(mine.clone())).await.unwrap();
    let home = within(pair.far.kept()).await.unwrap();
    assert_eq!(home, [mine.clone(), mine.clone()]);
    assert!(home.iter().all(Ref::is_near));
    let seen: HashSet<_> = home.into_iter().chain([mine]).collect();
    assert_eq!(seen.len(), 1);
    let theirs = within(pair.far.own()).await.unwrap();
    assert!(!Ref::is_near(&theirs));
    assert_eq!(within(pair.far.is_own(theirs)).await, Ok((true, true)));
    assert_eq!(within(pair.far.is_own(Ref::new(Recorder::default()))).await, Ok((false, false)));
}

#[tokio::test]
async fn a_reference_is_the_same_however_often_and_through_whomever_it_is_received() {
    let owner = Pair::new(office()).await;
    let middle = Node::listen(fresh_address()).await.unwrap();
    let keeper = office();
    middle.publish("keeper", keeper.clone()).await.unwrap();
    let once = within(owner.far.own()).await.unwrap();
    let twice = within(owner.far.own()).await.unwrap();
    assert_eq!(once, twice);
    let other = within(owner.far.another()).await.unwrap();
    assert_ne!(once, other, "another object of the same node");
    // From the owner by way of the client to the middle, and back to the client.
    let far_keeper: Ref<dyn Desk> =
        within(owner.client.lookup(middle.uri("keeper"))).await.unwrap();
    within(far_keeper.keep(once.clone())).await.unwrap();
    let around = within(far_keeper.kept()).await.unwrap().remove(0);
    assert_eq!(around, once);
    // The middle looks the object up at its owner: it equals the reference that was passed to it.
    let desk: Ref<dyn Desk> = within(middle.lookup(owner.server.uri("object"))).await.unwrap();
    let direct = within(desk.own()).await.unwrap();
    let passed = keeper.kept().await.unwrap().remove(0);
    assert_eq!(direct, passed);
    assert_eq!(HashSet::from([once, twice, around]).len(), 1);
    assert_eq!(HashSet::from([direct, passed.clone()]).len(), 1);
    assert_eq!(within(passed.receive("through the client")).await, Ok(1));
}

mod later {
    //! The interfaces in a later version of the program.

    use remote_core::{Result, remote};

    #[remote(name = "Listener")]
    pub(crate) trait Listener {
        async fn receive(&self, text: &str, times: u32) -> Result<u32>;
        async fn sing(&self) -> Result<()>;
    }
}

#[tokio::test]
async fn a_changed_signature_is_refused_by_name() {
    let server = Node::listen(fresh_address()).await.unwrap();
    server.publish("listener", Ref::<dyn Listener>::new(Recorder::default())).await.unwrap();
    let client = Node::new();
    let listener: Ref<dyn later::Listener> =
        within(client.lookup(server.uri("listener"))).await.unwrap();
    let Err(Error::SignatureMismatch { class, selector }) = within(listener.receive("", 1)).await
    else {
        panic!("its signature changed")
    };
    assert!(class.ends_with("Recorder"), "{class}");
    assert_eq!(selector, "Listener.receive");
    let Err(Error::MessageNotUnderstood { class, selector }) = within(listener.sing()).await else {
        panic!("nobody knows how")
    };
    assert!(class.ends_with("Recorder"), "{class}");
    assert_eq!(selector, "Listener.sing");
    // A method that is unchanged can be called, on the same session.
    let same: Ref<dyn Listener> = within(client.lookup(server.uri("listener"))).await.unwrap();
    assert_eq!(within(same.receive("still")).await, Ok(1));
    assert_eq!(client.sessions().len(), 1);
}
