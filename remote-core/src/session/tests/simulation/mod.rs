//! Nodes, sessions, a network and time, simulated: the sessions are those that run in production, and so are the bytes
//! between them; all else is small, seeded, and looked at after every step.
//!
//! What is modelled: nodes with an object table, references, forwarding and hand-off (`node`, `sending`, `arrival`,
//! `handoff`), what two nodes make of a connection (`dialling`, `agreement`), a network that delays, withholds, repeats and cuts
//! (`network`, `faults`), clocks that drift (`clock`). What is asked of it: that each message and call has the fate that
//! was promised (`ledger`), and that whoever holds a reference reaches its object (`reach`).

mod agenda;
mod agreement;
mod arrival;
mod clock;
mod crossing;
mod dialling;
mod driver;
mod faults;
mod handing;
mod handoff;
mod lasting;
mod ledger;
mod link;
mod network;
mod node;
mod passing;
mod reach;
mod restarting;
mod runs;
mod schedule;
mod script;
mod sending;
mod tally;
mod troubles;
mod world;
