//! The failure of a command: one line of text and an exit code. It must not know the commands.

use std::fmt;
use std::io;
use std::process::ExitCode;

use remote_core::{Ended, Error};

use crate::room::RoomError;
use crate::transcript::TranscriptError;

/// The exit codes, for help texts.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed after the start: the server is gone, or lines were lost
  2  wrong usage, for instance an invalid address or name
  3  nobody listens at the address
  4  no object is published there under the name
  5  the object published there has another interface
  6  cannot listen at the address, for instance because the port is in use
  7  another member of the chat has the name
  8  the connection was lost and not restored before the lease expired
  9  the server was restarted: its lines and members are lost";

/// Reasons for which a server cannot be reached any more.
const EXPIRED: &str = "the connection was not restored before the lease expired";
const RESTARTED: &str = "the server was restarted";

/// The reason for which a command failed.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    code: Code,
    text: String,
    /// True if a call failed because the session ended.
    with_session: bool,
}

/// The kind of a failure, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Code {
    /// The command had started.
    Failed = 1,
    Usage = 2,
    NobodyListens = 3,
    NoSuchName = 4,
    WrongInterface = 5,
    CannotListen = 6,
    NameTaken = 7,
    LeaseExpired = 8,
    Restarted = 9,
}

impl Failure {
    /// Creates a failure with a text of one line.
    pub(crate) fn new(code: Code, text: impl fmt::Display) -> Failure {
        Failure { code, text: text.to_string(), with_session: false }
    }

    /// Converts the error of a node that cannot be started.
    pub(crate) fn starting(error: Error) -> Failure {
        match error {
            Error::Io(_) => Failure::new(Code::CannotListen, error),
            other => other.into(),
        }
    }

    /// Converts the reason for which an object that the command uses has ended.
    pub(crate) fn gone(what: &str, ended: Ended) -> Failure {
        let (code, reason) = match ended {
            Ended::Stopped(reason) | Ended::SessionEnded(reason) => (Code::Failed, reason),
            Ended::LeaseExpired => (Code::LeaseExpired, EXPIRED.to_owned()),
            Ended::Restarted => (Code::Restarted, RESTARTED.to_owned()),
            _ => (Code::Failed, "it was released".to_owned()),
        };
        Failure::new(code, format_args!("{what} is gone: {reason}"))
    }

    /// Returns the failure, or `cause` if the failure is a consequence of the end of the session.
    pub(crate) async fn or_its_cause(self, cause: impl Future<Output = Failure>) -> Failure {
        if self.with_session { cause.await } else { self }
    }

    /// Adds a text to the failure.
    pub(crate) fn with(self, known: impl fmt::Display) -> Failure {
        Failure { text: format!("{}; {known}", self.text), ..self }
    }

    /// Returns the exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code as u8)
    }
}

impl fmt::Display for Failure {
    /// Writes one line: control characters in texts of peers are replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self
            .text
            .split(|c: char| c.is_control())
            .map(str::trim)
            .filter(|part| !part.is_empty());
        f.write_str(lines.next().unwrap_or("failed"))?;
        lines.try_for_each(|line| write!(f, " {line}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let with_session =
            matches!(error, Error::SessionLost { .. } | Error::LeaseExpired | Error::Stale);
        let code = match error.root() {
            Error::LeaseExpired => Code::LeaseExpired,
            Error::Stale => Code::Restarted,
            Error::InvalidUri { .. } | Error::Refused(_) => Code::Usage,
            Error::NotConnected { .. } => Code::NobodyListens,
            Error::NameNotFound { .. } => Code::NoSuchName,
            Error::WrongInterface { .. } => Code::WrongInterface,
            _ => Code::Failed,
        };
        let failure = match code {
            Code::LeaseExpired => Failure::new(code, EXPIRED),
            Code::Restarted => Failure::new(code, RESTARTED),
            _ => Failure::new(code, error),
        };
        Failure { with_session, ..failure }
    }
}

impl From<TranscriptError> for Failure {
    fn from(error: TranscriptError) -> Failure {
        match error {
            TranscriptError::Call(error) => error.into(),
            TranscriptError::TooLong(_) | TranscriptError::SeveralLines => {
                Failure::new(Code::Usage, error)
            }
            TranscriptError::Gap(_) | TranscriptError::TooManySeries | TranscriptError::Closed => {
                Failure::new(Code::Failed, error)
            }
        }
    }
}

impl From<RoomError> for Failure {
    fn from(error: RoomError) -> Failure {
        match error {
            RoomError::Call(error) => error.into(),
            RoomError::NameTaken(_) => Failure::new(Code::NameTaken, error),
            RoomError::BadName(_) => Failure::new(Code::Usage, error),
            RoomError::TooLong(_) | RoomError::NotSeated | RoomError::Closed => {
                Failure::new(Code::Failed, error)
            }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::new(Code::Failed, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_has_its_exit_code() {
        let code = |error: Error| Failure::from(error).code as u8;
        assert_eq!(code(Error::InvalidUri { uri: "x".into(), reason: "no scheme".into() }), 2);
        assert_eq!(code(Error::NotConnected { address: "x".into(), reason: "refused".into() }), 3);
        assert_eq!(code(Error::NameNotFound { name: "x".into() }), 4);
        assert_eq!(code(Error::WrongInterface { found: "A".into(), wanted: "B".into() }), 5);
        assert_eq!(Failure::starting(Error::Io("in use".into())).code as u8, 6);
        assert_eq!(Failure::from(RoomError::NameTaken("ada".into())).code as u8, 7);
        assert_eq!(code(Error::LeaseExpired), 8);
        assert_eq!(Failure::gone("x", Ended::LeaseExpired).code as u8, 8);
        assert_eq!(code(Error::Stale), 9);
        assert_eq!(Failure::gone("x", Ended::Restarted).code as u8, 9);
        assert_eq!(code(Error::Timeout), 1);
    }

    #[tokio::test]
    async fn a_call_that_fails_with_its_session_reports_why_the_session_ended() {
        let report = async |error: Error| {
            let cause = async { Failure::gone("the server", Ended::Restarted) };
            Failure::from(error).or_its_cause(cause).await.to_string()
        };
        let lost =
            Error::SessionLost { reason: "x".into(), outcome: remote_core::Outcome::Unknown };
        assert_eq!(report(lost).await, "the server is gone: the server was restarted");
        assert_eq!(report(Error::Cancelled).await, Error::Cancelled.to_string());
    }

    #[test]
    fn every_code_is_documented() {
        for code in 0..=Code::Restarted as u8 {
            assert!(EXIT_CODES.contains(&format!("\n  {code}  ")), "{code}");
        }
    }

    #[test]
    fn a_failure_is_one_line() {
        let failure = Failure::new(Code::Failed, "a\nb\x1b[2J \n").with("c");
        assert_eq!(failure.to_string(), "a b [2J ; c");
    }
}
