//! Owns what two nodes make of a new connection: a session, the next connection of one that they have, or nothing.
//!
//! It must not know transports, nor what goes on in a session. A peer that says who it is proves nothing by that: what
//! touches a session is believed only from who knows its secret.

use std::sync::Arc;
use std::time::Instant;

use super::handshake::{
    Decides, decides, read_resume_state, read_verdict, write_resume_state, write_verdict,
};
use super::registry::Sessions;
use crate::error::{Error, Result};
use crate::id::FrameNumber;
use crate::node::session::driver::drive;
use crate::node::session::shared::{Link, Origin};
use crate::object::peer::Peer;
use crate::session::{Session, Settings};
use crate::transport::connection::Connection;
use crate::transport::uri::Uri;
use crate::wire::hello::{Grant, Hello, ResumeState, Secret, Sides, Verdict};

/// What both sides of a connection have said of themselves.
pub(crate) struct Negotiation<'i> {
    pub(crate) hello: &'i Hello,
    /// What this side said of itself, and when.
    pub(crate) own: &'i Hello,
    pub(crate) asked: Instant,
    /// Where the connection was made to, if this side made it.
    pub(crate) dialled: Option<&'i Uri>,
}

impl Negotiation<'_> {
    /// Agrees with the peer on what becomes of the connection, and starts it. The session that goes on, here or elsewhere.
    pub(crate) async fn run(
        &self,
        sessions: &Arc<Sessions>,
        mut connection: Connection,
    ) -> Result<Arc<Link>> {
        let peer = self.hello.node;
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
            Decision::Duplicate(link) => Ok(link),
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
                None => self.begin(sessions, connection, fresh_secret()),
            },
            Assessment::Resume { link, arrived } => {
                let number = link.next_connection();
                Decision::Resumed(Resumption { link, number, asked: None, arrived })
            }
            Assessment::Connected(link) => Decision::Duplicate(link),
            Assessment::Refused(reason) => Decision::Refused(reason.into()),
        }
    }

    /// Accepts what the peer decided, if it is in order.
    fn accept(
        &self,
        sessions: &Arc<Sessions>,
        connection: &Connection,
        state: ResumeState,
        verdict: Verdict,
    ) -> Result<Option<Decision>> {
        match (verdict, self.assess(sessions, state)) {
            (Verdict::Refuse { reason, .. }, _) => Err(Error::Refused(reason)),
            (Verdict::Duplicate, Assessment::Connected(link) | Assessment::Resume { link, .. }) => {
                Ok(Some(Decision::Duplicate(link)))
            }
            (Verdict::Duplicate, _) => Ok(None),
            (Verdict::Accept(secret), Assessment::New) => {
                Ok(Some(self.begin(sessions, connection, secret)))
            }
            (Verdict::Resume { connection }, Assessment::Resume { link, arrived }) => {
                // The peer has resumed it, and what this side said of itself was before.
                let (number, asked) = (connection, Some(self.asked));
                Ok(Some(Decision::Resumed(Resumption { link, number, asked, arrived })))
            }
            (_, Assessment::Refused(reason)) => Err(Error::Refused(reason.into())),
            (Verdict::Accept(_) | Verdict::Resume { .. }, _) => {
                Err(Error::Io("the session changed while the two sides spoke about it".into()))
            }
        }
    }

    /// What follows from what this side knows and what the peer said.
    fn assess(&self, sessions: &Sessions, state: ResumeState) -> Assessment {
        let live = sessions.find(self.hello.node);
        let Some(link) = live else {
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
        let is_proved = state.is_proved(&link.secret, self.sides().reversed());
        match state {
            ResumeState::Live { received, suspended, .. } if is_proved => {
                if suspended || link.is_suspended() {
                    Assessment::Resume { link, arrived: received }
                } else {
                    Assessment::Connected(link)
                }
            }
            ResumeState::Ended { code, .. } if is_proved => {
                link.update(|inner| inner.session.handle_peer_ended(code));
                Assessment::New
            }
            _ if link.was_never_heard() => {
                // Its connection failed before the peer learned of it: there is nothing to be lost.
                link.update(|inner| {
                    inner.session.handle_failure("the peer never learned of the session")
                });
                Assessment::New
            }
            _ if !link.is_suspended() => Assessment::Connected(link),
            _ => Assessment::Refused("there is a session with this peer, and it was not proved"),
        }
    }

    /// Begins a session. Both sides may have dialled at the same moment: of two connections the first decided upon counts.
    fn begin(&self, sessions: &Arc<Sessions>, connection: &Connection, secret: Secret) -> Decision {
        let make = || self.make(sessions, connection, secret);
        match sessions.enter(self.hello.node, make) {
            Ok(link) => Decision::Accepted(Begun {
                sessions: Arc::clone(sessions),
                secret,
                link: Some(link),
            }),
            Err(link) => Decision::Duplicate(link),
        }
    }

    fn make(&self, sessions: &Sessions, connection: &Connection, secret: Secret) -> Arc<Link> {
        let (hello, shared) = (self.hello, &sessions.shared);
        let peer = Peer::new(hello.node, hello.name.clone(), connection.address.clone());
        let limits = shared.limits.clone();
        // What the peer would take does not raise what this side makes.
        let granted = Grant { body: hello.grant.body.min(limits.body as u64), ..hello.grant };
        let term = shared.lease.min(hello.lease);
        let session = Session::new(Settings { limits, granted, term }, Instant::now());
        let origin = Origin::new(self.dialled.cloned(), hello.address.clone());
        Link::new(Arc::clone(shared), peer, session, secret, origin)
    }

    fn sides(&self) -> Sides<'_> {
        Sides { own: self.own, peer: self.hello }
    }
}

/// What becomes of a connection.
enum Decision {
    Accepted(Begun),
    Resumed(Resumption),
    Duplicate(Arc<Link>),
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

/// A session that is decided for, and has no tasks yet. Dropped before it has, because the connection failed
/// meanwhile, it is over.
struct Begun {
    sessions: Arc<Sessions>,
    secret: Secret,
    link: Option<Arc<Link>>,
}

impl Begun {
    /// Starts the tasks.
    fn start(mut self, connection: Connection) -> Arc<Link> {
        let link = self.link.take().expect("it is taken only here and when it is dropped");
        tracing::debug!(peer = %link.peer.id(), address = link.peer.address(), "session begins");
        link.connect(connection);
        let sessions = Arc::clone(&self.sessions);
        drive(Arc::clone(&link), move |link| sessions.remove(link));
        self.sessions.note_begun();
        link
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.update(|inner| {
                inner.session.handle_failure("the connection failed before the session began")
            });
            self.sessions.remove(&link);
        }
    }
}

/// A session that goes on with another connection.
struct Resumption {
    link: Arc<Link>,
    number: u64,
    asked: Option<Instant>,
    arrived: FrameNumber,
}

impl Resumption {
    fn start(self, connection: Connection) -> Arc<Link> {
        self.link.reconnect(connection, self.number, self.asked, self.arrived);
        self.link
    }
}

/// What both standings come to.
enum Assessment {
    /// Nothing stands in the way of a new session.
    New,
    Resume {
        link: Arc<Link>,
        arrived: FrameNumber,
    },
    Connected(Arc<Link>),
    Refused(&'static str),
}

fn fresh_secret() -> Secret {
    let mut secret = [0; 32];
    // Without randomness nothing can be proved; the system's generator fails only on a broken machine.
    getrandom::fill(&mut secret).expect("the system's random generator answers");
    secret
}
