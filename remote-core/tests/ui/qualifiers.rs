//! `unsafe` and `extern`.

use remote_core::{Result, remote};

#[remote]
unsafe trait Machine { //~
    async unsafe fn poke(&self) -> Result<()>; //~
    async extern "C" fn call(&self) -> Result<()>; //~
}

fn main() {}
