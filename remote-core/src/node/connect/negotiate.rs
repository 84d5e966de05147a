//! Negotiation: a new connection starts a session, resumes the existing one, or is closed.
//!
//! It must not know transports, nor the state of a session. A hello is not authenticated: only a peer that proves to know the
//! secret of a session can resume or end it.

use std::sync::Arc;
use std::time::Instant;

use super::handshake::{
    Decides, decides, read_resume_state, read_verdict, write_resume_state, write_verdict,
};
use super::registry::Sessions;
use crate::error::{Error, Result};
use crate::id::{ConnectionId, FrameNumber};
use crate::node::session::driver::start;
use crate::node::session::shared::{Origin, SharedSession};
use crate::object::peer::Peer;
use crate::random;
use crate::session::{Session, Settings};
use crate::transport::connection::Connection;
use crate::transport::uri::Uri;
use crate::wire::hello::{Grant, Hello, ResumeState, Secret, Sides, Verdict};

/// A connection on which both hellos have been exchanged.
pub(crate) struct Negotiation<'i> {
    pub(crate) hello: &'i Hello,
    /// The hello of this side, and the time at which it was written.
    pub(crate) own: &'i Hello,
    pub(crate) asked: Instant,
    /// The address that this side dialled; `None` if it accepted the connection.
    pub(crate) dialled: Option<&'i Uri>,
}

impl Negotiation<'_> {
    /// Negotiates with the peer, and starts or resumes the session. Returns the session with the peer, which may use another
    /// connection.
    pub(crate) async fn run(
        &self,
        sessions: &Arc<Sessions>,
        mut connection: Connection,
    ) -> Result<Arc<SharedSession>> {
        let peer = self.hello.node;
        // The connection may be to a process that relays it: its end says nothing about the peer.
        connection.process.take_if(|process| self.hello.process != Some(process.id()));
        write_resume_state(&mut connection, &sessions.resume_state(self.sides())).await?;
        let state = read_resume_state(&mut connection).await?;
        let decision = match decides(sessions.shared.id, peer) {
            Decides::This => {
                let decision = self.decide(sessions, &connection, state);
                write_verdict(&mut connection, &decision.verdict()).await?;
                decision
            }
            Decides::Peer => {
                let verdict = read_verdict(&mut connection).await?;
                match self.accept(sessions, &connection, state, verdict)? {
                    Some(decision) => decision,
                    None => return sessions.wait_for(peer).await,
                }
            }
        };
        match decision {
            Decision::Accepted(begun) => Ok(begun.start(connection)),
            Decision::Resumed(resumption) => Ok(resumption.start(connection)),
            Decision::Duplicate(session) => Ok(session),
            Decision::Refused(reason) => Err(Error::Refused(reason)),
        }
    }

    /// Decides about the connection.
    fn decide(
        &self,
        sessions: &Arc<Sessions>,
        connection: &Connection,
        state: ResumeState,
    ) -> Decision {
        match self.assess(sessions, state) {
            Assessment::New => match sessions.refusal() {
                Some(reason) => Decision::Refused(reason),
                None => self.begin(sessions, connection, random::bytes()),
            },
            Assessment::Resume { session, arrived } => {
                let number = session.reserve_connection();
                Decision::Resumed(Resumption { session, number, asked: None, arrived })
            }
            Assessment::Connected(session) => Decision::Duplicate(session),
            Assessment::Refused(reason) => Decision::Refused(reason.into()),
        }
    }

    /// Checks the verdict of the peer against the state of this side. Returns `None` if the peer uses another connection for a
    /// session that this side does not have yet.
    fn accept(
        &self,
        sessions: &Arc<Sessions>,
        connection: &Connection,
        state: ResumeState,
        verdict: Verdict,
    ) -> Result<Option<Decision>> {
        match (verdict, self.assess(sessions, state)) {
            (Verdict::Refuse { reason, .. }, _) => Err(Error::Refused(reason)),
            (
                Verdict::Duplicate,
                Assessment::Connected(session) | Assessment::Resume { session, .. },
            ) => Ok(Some(Decision::Duplicate(session))),
            (Verdict::Duplicate, _) => Ok(None),
            (Verdict::Accept(secret), Assessment::New) => {
                Ok(Some(self.begin(sessions, connection, secret)))
            }
            (Verdict::Resume { connection }, Assessment::Resume { session, arrived }) => {
                // The peer has resumed the session after this side wrote its hello.
                let (number, asked) = (connection, Some(self.asked));
                Ok(Some(Decision::Resumed(Resumption { session, number, asked, arrived })))
            }
            (_, Assessment::Refused(reason)) => Err(Error::Refused(reason.into())),
            (Verdict::Accept(_) | Verdict::Resume { .. }, _) => {
                Err(Error::Io("the session changed while the two sides spoke about it".into()))
            }
        }
    }

    /// Compares the resume state of the peer with this side's state of the session.
    fn assess(&self, sessions: &Sessions, state: ResumeState) -> Assessment {
        let live = sessions.find(self.hello.node);
        let Some(session) = live else {
            return match state {
                ResumeState::Live { received, suspended, .. }
                    if !(sessions.remembers(self.hello.node) || suspended && received.0 == 0) =>
                {
                    Assessment::Refused(
                        "the peer goes on with a session of which nothing is known here",
                    )
                }
                _ => Assessment::New,
            };
        };
        let is_proved = state.is_proved(&session.secret, self.sides().reversed());
        match state {
            ResumeState::Live { received, suspended, .. } if is_proved => {
                if suspended || session.is_suspended() {
                    Assessment::Resume { session, arrived: received }
                } else {
                    Assessment::Connected(session)
                }
            }
            ResumeState::Ended { code, .. } if is_proved => {
                session.update(|inner| inner.machine.handle_peer_ended(code));
                Assessment::New
            }
            _ if session.nothing_has_arrived() => {
                // The connection failed before the peer could know the session, so that nothing is lost.
                session.update(|inner| {
                    inner.machine.handle_failure("the peer never learned of the session")
                });
                Assessment::New
            }
            _ if !session.is_suspended() => Assessment::Connected(session),
            _ => Assessment::Refused("there is a session with this peer, and it was not proved"),
        }
    }

    /// Starts a session. If both sides dialled at the same moment, the first decision counts.
    fn begin(&self, sessions: &Arc<Sessions>, connection: &Connection, secret: Secret) -> Decision {
        let make = || self.make(sessions, connection, secret);
        match sessions.enter(self.hello.node, make) {
            Ok(session) => Decision::Accepted(Begun {
                sessions: Arc::clone(sessions),
                secret,
                session: Some(session),
            }),
            Err(session) => Decision::Duplicate(session),
        }
    }

    fn make(
        &self,
        sessions: &Sessions,
        connection: &Connection,
        secret: Secret,
    ) -> Arc<SharedSession> {
        let (hello, shared) = (self.hello, &sessions.shared);
        let peer = Peer::new(hello.node, hello.name.clone(), connection.address.clone());
        let limits = shared.limits.clone();
        // This side sends no larger bodies than it accepts.
        let granted = Grant { body: hello.grant.body.min(limits.body as u64), ..hello.grant };
        let term = shared.lease.min(hello.lease);
        let machine = Session::new(Settings { limits, granted, term }, Instant::now());
        let origin = Origin::new(
            self.dialled.cloned(),
            Some(hello.address.clone()).filter(|address| !address.is_empty()),
        );
        SharedSession::new(Arc::clone(shared), peer, machine, secret, origin)
    }

    fn sides(&self) -> Sides<'_> {
        Sides { own: self.own, peer: self.hello }
    }
}

/// The decision about a connection.
enum Decision {
    Accepted(Begun),
    Resumed(Resumption),
    Duplicate(Arc<SharedSession>),
    Refused(String),
}

impl Decision {
    fn verdict(&self) -> Verdict {
        match self {
            Decision::Accepted(begun) => Verdict::Accept(begun.secret),
            Decision::Resumed(resumption) => Verdict::Resume { connection: resumption.number },
            Decision::Duplicate(_) => Verdict::Duplicate,
            Decision::Refused(reason) => Verdict::Refuse { code: 0, reason: reason.clone() },
        }
    }
}

/// A new session whose tasks are not started. Ends the session if it is dropped before they are, because the connection has
/// failed.
struct Begun {
    sessions: Arc<Sessions>,
    secret: Secret,
    session: Option<Arc<SharedSession>>,
}

impl Begun {
    /// Starts the tasks.
    fn start(mut self, connection: Connection) -> Arc<SharedSession> {
        let session = self.session.take().expect("it is taken only here and when it is dropped");
        tracing::debug!(peer = %session.peer.id(), address = session.peer.address(), "session begins");
        session.connect(connection);
        let sessions = Arc::clone(&self.sessions);
        start(Arc::clone(&session), move |session| sessions.remove(session));
        self.sessions.note_begun();
        session
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.update(|inner| {
                inner.machine.handle_failure("the connection failed before the session began")
            });
            self.sessions.remove(&session);
        }
    }
}

/// A session that is resumed on this connection.
struct Resumption {
    session: Arc<SharedSession>,
    number: ConnectionId,
    asked: Option<Instant>,
    arrived: FrameNumber,
}

impl Resumption {
    fn start(self, connection: Connection) -> Arc<SharedSession> {
        self.session.reconnect(connection, self.number, self.asked, self.arrived);
        self.session
    }
}

/// The result of comparing the resume states of both sides.
enum Assessment {
    /// A new session can be started.
    New,
    Resume {
        session: Arc<SharedSession>,
        arrived: FrameNumber,
    },
    Connected(Arc<SharedSession>),
    Refused(&'static str),
}
