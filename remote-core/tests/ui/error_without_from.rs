//! An error type without `From<remote_core::Error>`.

use remote_core::{Ref, Remote, remote};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
enum Refusal {
    TooLate,
}

type Answer<V> = Result<V, Refusal>;

#[remote]
trait Bank {
    async fn pay(&self, cents: u64) -> Result<u64, Refusal>; //~
    async fn draw(&self, cents: u64) -> Answer<u64>; //~
    async fn print(&self) -> Result<Vec<u8>, String>; //~
    async fn close(&self) -> remote_core::Result<()>;
}

#[derive(Remote)]
#[remote(Bank)]
struct Vault;

#[remote]
impl Bank for Vault {
    async fn pay(&self, _cents: u64) -> Result<u64, Refusal> {
        Err(Refusal::TooLate)
    }

    async fn draw(&self, cents: u64) -> Answer<u64> {
        Ok(cents)
    }

    async fn print(&self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    async fn close(&self) -> remote_core::Result<()> {
        Ok(())
    }
}

async fn use_it(bank: Ref<dyn Bank>) {
    let _ = bank.pay(1).await;
    let _ = bank.close().await;
}

fn main() {}
