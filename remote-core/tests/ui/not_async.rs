//! Methods that are not `async`.

use remote_core::{Result, remote};

#[remote]
trait Greeter {
    fn greet(&self, name: &str) -> Result<String>; //~
    fn leave(&self); //~
}

struct English;

#[remote]
impl Greeter for English {
    async fn greet(&self, name: &str) -> Result<String> {
        Ok(name.to_owned())
    }

    fn leave(&self) {} //~
}

fn main() {}
