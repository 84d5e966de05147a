//! Results that borrow.

use std::borrow::Cow;

use remote_core::{Result, remote};

#[remote]
trait Book {
    async fn title(&self) -> Result<&str>; //~
    async fn author(&self) -> Result<&'static str>; //~
    async fn page(&self, number: u32) -> Result<Cow<'_, str>>; //~
    async fn line(&self, number: u32) -> Result<Option<Cow<str>>>; //~
    async fn whole(&self) -> &str; //~
    async fn owned(&self) -> Result<Cow<'static, str>>;
}

fn main() {}
