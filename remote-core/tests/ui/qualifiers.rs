//! A message has no calling convention and makes no promises about memory.

use remote_core::{Result, remote};

#[remote]
unsafe trait Machine { //~
    async unsafe fn poke(&self) -> Result<()>; //~
    async extern "C" fn call(&self) -> Result<()>; //~
}

fn main() {}
