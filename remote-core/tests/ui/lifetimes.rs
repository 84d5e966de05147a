//! Types that are passed by value and have a lifetime.

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
