//! Invalid options of a class.

use remote_core::{Remote, Result, remote};

#[remote]
trait Holder {
    async fn hold(&self) -> Result<()>;
}

#[derive(Remote)]
#[remote(Holder, Holder)] //~
struct Twice;

#[derive(Remote)]
#[remote(Holder, colour = "red")] //~
struct Red;

#[derive(Remote)]
#[remote(Holder, name = 3)] //~
struct Numbered;

#[derive(Remote)]
#[remote(Holder, name = "")] //~
struct Nameless;

#[derive(Remote)]
#[remote(Holder, name = "a", name = "b")] //~
struct TwoNames;

#[derive(Remote)]
#[remote(Holder, serial = true)] //~
struct Valued;

#[derive(Remote)]
#[remote(serial, Holder, serial)] //~
struct Serial;

#[derive(Remote)]
#[remote(Holder, stop_on_panic, stop_on_panic)] //~
struct Stopping;

#[derive(Remote)]
#[remote(serial)]
struct Empty; //~

#[derive(Remote)]
#[remote(42)] //~
struct Unreadable;

#[derive(Remote)]
#[remote(Holder)]
union Union { //~
    a: u8,
    b: i8,
}

#[remote]
impl Holder for Twice {
    async fn hold(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
