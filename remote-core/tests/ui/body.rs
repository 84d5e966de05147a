//! Errors in a method body are reported at their place, as in an `async fn`.

use remote_core::{Result, remote};

#[remote]
trait Greeter {
    async fn greet(&self, name: &str) -> Result<String>;
    async fn count(&self) -> Result<u64>;
    async fn leave(&self) -> Result<()>;
    async fn wait(&self) -> Result<()> {
        Ok(1) //~
    }
}

struct English;

#[remote]
impl Greeter for English {
    async fn greet(&self, name: &str) -> Result<String> {
        Ok(name) //~
    }

    async fn count(&self) -> Result<u64> { //~
        self.leave().await?;
    }

    async fn leave(&self) -> Result<()> {
        let here = std::rc::Rc::new(());
        self.wait().await?;
        drop(here);
        return Ok("left"); //~
    }

    async fn stay(&self) -> Result<()> { //~
        Ok(())
    }
}

struct French;

#[remote]
impl Greeter for French { //~
    async fn greet(&self, name: &String) -> Result<String> { //~
        Ok(name.clone())
    }

    async fn count(&self) -> Result<u64> { //~
        let here = std::rc::Rc::new(());
        self.greet(&String::new()).await?;
        drop(here);
        Ok(1)
    }
}

fn main() {}
