//! A class that a library defines: a program has the class only if it links the library.
//!
//! This program sends a circle to two others. Neither mentions circles, but one of them has `use circles as _;`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use circles::Circle;
use remote_core::{Error, Node, Ref, Result};
use shapes::Wall;

#[tokio::main]
async fn main() -> Result<()> {
    let node = Node::new();

    let (mut linked, uri) = start("library_class_linked")?;
    let wall: Ref<dyn Wall> = node.lookup(uri).await?;
    let area = wall.hang(Box::new(Circle { radius: 2.0 })).await?;
    assert!((area - 12.566).abs() < 0.001);
    println!("where the library is linked: a circle of area {area:.3}");

    let (mut unlinked, uri) = start("library_class_unlinked")?;
    let wall: Ref<dyn Wall> = node.lookup(uri).await?;
    let error = wall.hang(Box::new(Circle { radius: 2.0 })).await.unwrap_err();
    assert_eq!(error, Error::UnknownClass("Circle".into()));
    println!("where it is not: {error}");

    // Only the call failed: the connection is still open.
    let error = wall.hang(Box::new(Circle { radius: 3.0 })).await.unwrap_err();
    assert_eq!(error, Error::UnknownClass("Circle".into()));

    for child in [&mut linked, &mut unlinked] {
        drop(child.stdin.take()); // the process ends with its input
        assert!(child.wait()?.success());
    }
    Ok(())
}

/// Starts another of these examples, and returns the URI that it prints.
fn start(name: &str) -> Result<(Child, String)> {
    let program =
        std::env::current_exe()?.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut uri = String::new();
    BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut uri)?;
    Ok((child, uri.trim().to_owned()))
}
