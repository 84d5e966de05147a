//! A simulation of nodes, sessions, a network and time. The sessions and the bytes between them are those of production;
//! everything else is a small model, driven by a seed, and is checked after every step.
//!
//! Modelled are nodes with an object table, references, forwarding and hand-off (`node`, `sending`, `arrival`, `handoff`),
//! the handshake (`dialling`, `agreement`), a network that delays, partitions, repeats and cuts (`network`, `faults`), and
//! clocks that drift (`clock`). Checked are the fate of each message and call (`ledger`), and that each holder of a
//! reference reaches its object (`reach`).

mod agenda;
mod agreement;
mod arrival;
mod clock;
mod crossing_scenarios;
mod dialling;
mod driver;
mod faults;
mod handoff;
mod handoff_scenarios;
mod lease_scenarios;
mod ledger;
mod link;
mod network;
mod node;
mod outages;
mod reach;
mod restart_scenarios;
mod ring_scenarios;
mod runs;
mod schedule;
mod script;
mod sending;
mod tally;
mod world;
