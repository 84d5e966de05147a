//! The roles of a contestant's processes, and their command lines.
//!
//! It must not know the contestants.

use std::time::Duration;

use clap::Subcommand;

#[derive(Clone, Debug, PartialEq, Subcommand)]
pub(crate) enum Role {
    /// Listens on 127.0.0.1, and creates objects on request.
    Owner {
        port: u16,
        /// The incarnation of the owner: the first part of its objects' names.
        life: u32,
    },
    /// Requests one object, and calls it repeatedly.
    Holder { port: u16 },
    /// Requests objects, calls each once and drops it; keeps running after the time is over.
    Churner {
        port: u16,
        #[arg(value_name = "MILLISECONDS", value_parser = milliseconds)]
        time: Duration,
    },
}

impl Role {
    /// Returns the arguments on the command line.
    pub(crate) fn arguments(&self) -> Vec<String> {
        match self {
            Role::Owner { port, life } => {
                vec!["owner".to_owned(), port.to_string(), life.to_string()]
            }
            Role::Holder { port } => vec!["holder".to_owned(), port.to_string()],
            Role::Churner { port, time } => {
                vec!["churner".to_owned(), port.to_string(), time.as_millis().to_string()]
            }
        }
    }
}

pub(crate) fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        role: Role,
    }

    #[test]
    fn arguments_are_parsed() {
        for role in [
            Role::Owner { port: 4001, life: 2 },
            Role::Holder { port: 4001 },
            Role::Churner { port: 4001, time: Duration::from_millis(1500) },
        ] {
            let words = std::iter::once("duel".to_owned()).chain(role.arguments());
            assert_eq!(Line::parse_from(words).role, role);
        }
    }
}
