//! Serializes objects and makes copies of them at the other end of a socket: values of many classes, an object that is
//! referred to twice, and a class that the reader does not have.

use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i64,
    y: i64,
}

#[typetag::serde]
trait Shape {
    fn area(&self) -> i64;
}

#[derive(Serialize, Deserialize)]
struct Square {
    corner: Point,
    side: i64,
}

#[typetag::serde]
impl Shape for Square {
    fn area(&self) -> i64 {
        self.side * self.side
    }
}

#[derive(Serialize, Deserialize)]
struct Rectangle {
    from: Point,
    to: Point,
}

#[typetag::serde]
impl Shape for Rectangle {
    fn area(&self) -> i64 {
        (self.to.x - self.from.x) * (self.to.y - self.from.y)
    }
}

/// Lines that share their corners: each refers to them by index.
#[derive(Serialize, Deserialize)]
struct Path {
    corners: Vec<Point>,
    lines: Vec<(usize, usize)>,
}

fn main() -> Result<()> {
    let point = Point { x: 10, y: 34 };
    let streamed = serde_json::to_string(&point)?;
    println!("a point: {streamed}");
    let mut copy: Point = serde_json::from_str(&carried(&streamed)?)?;
    assert_eq!(copy, point); // equal
    copy.x = 0;
    assert_ne!(copy, point); // but another object

    // Each value carries the name of its class.
    let shapes: Vec<Box<dyn Shape>> = vec![
        Box::new(Square { corner: point.clone(), side: 3 }),
        Box::new(Rectangle { from: Point { x: 0, y: 0 }, to: point.clone() }),
    ];
    let streamed = serde_json::to_string(&shapes)?;
    println!("two shapes: {streamed}");
    let copies: Vec<Box<dyn Shape>> = serde_json::from_str(&carried(&streamed)?)?;
    let areas: Vec<i64> = copies.iter().map(|shape| shape.area()).collect();
    assert_eq!(areas, [9, 340]);

    // An object that is referred to twice arrives as two.
    let streamed = serde_json::to_string(&[&point, &point])?;
    println!("one point twice: {streamed}");
    let mut twice: [Point; 2] = serde_json::from_str(&carried(&streamed)?)?;
    twice[0].x = 0;
    assert_eq!(twice[1].x, 10);

    // Sharing is explicit: a corner that moves, moves for both of its lines, also in the copy.
    let corners = vec![Point { x: 0, y: 0 }, point, Point { x: 20, y: 0 }];
    let streamed = serde_json::to_string(&Path { corners, lines: vec![(0, 1), (1, 2)] })?;
    println!("a path: {streamed}");
    let mut path: Path = serde_json::from_str(&carried(&streamed)?)?;
    path.corners[1].y = 0;
    let ends = (&path.corners[path.lines[0].1], &path.corners[path.lines[1].0]);
    assert_eq!(ends.0, ends.1);

    // The class must exist on both sides.
    let star = carried(r#"{"Star":{"points":5}}"#)?;
    let Err(error) = serde_json::from_str::<Box<dyn Shape>>(&star) else { panic!("a star?") };
    println!("a star: {error}");
    Ok(())
}

/// Sends a text through a socket, and returns what arrives.
fn carried(streamed: &str) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut sender = TcpStream::connect(listener.local_addr()?)?;
    sender.write_all(streamed.as_bytes())?;
    drop(sender);
    let mut arrived = String::new();
    listener.accept()?.0.read_to_string(&mut arrived)?;
    Ok(arrived)
}
