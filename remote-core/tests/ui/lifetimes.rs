//! What travels by value and borrows for ever.

use remote_core::{Result, remote};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Label {
    text: &'static str,
}

#[remote]
trait Printer {
    async fn print(&self, label: Label) -> Result<()>; //~
    async fn last(&self) -> Result<Label>; //~
    async fn lend(&self, label: &Label) -> Result<()>; //~
}

fn main() {}
