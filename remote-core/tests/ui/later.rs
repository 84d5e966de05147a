//! `Later` in an interface, and in an `impl` with another type.

use remote_core::{Error, Later, Reply, Result, remote, reply_later};

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Torn;

impl From<Error> for Torn {
    fn from(_: Error) -> Torn {
        Torn
    }
}

#[remote]
trait Book {
    async fn line(&self) -> Result<Later<String>>; //~
}

#[remote]
trait Library {
    async fn lines(&self) -> Result<Vec<Later<String>>>; //~
    async fn keep(&self, reply: Reply<String>) -> Result<()>; //~
}

#[remote]
trait Page {
    async fn bare(&self) -> Result<String>;
    async fn torn(&self) -> Result<String, Torn>;
    async fn number(&self) -> Result<u64>;
    async fn twice(&self) -> Result<String>;
    async fn plain(&self) -> Result<String>;
}

struct Sheet;

#[remote]
impl Page for Sheet {
    async fn bare(&self) -> Later<String> { //~
        reply_later().1
    }

    async fn torn(&self) -> Result<Later<String>, Torn> { //~
        Ok(reply_later().1)
    }

    async fn number(&self) -> Result<Later<String>> { //~
        Ok(reply_later().1)
    }

    async fn twice(&self) -> Result<Later<String>> {
        let (reply, later) = reply_later();
        let _ = reply.send("one".to_owned());
        let _ = reply.send("two".to_owned()); //~
        Ok(later)
    }

    async fn plain(&self) -> Result<String> {
        let (_reply, later) = reply_later::<String, Error>();
        Ok(later) //~
    }
}

fn main() {}
