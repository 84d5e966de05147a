//! Owns one session whose peer is made by hand: it can say anything, in any order, and hears all that is said to it.
//!
//! It must not keep any rule by itself but the numbers of frames, and those only when asked to.

use std::time::{Duration, Instant};

use super::super::lease::Reads;
use super::super::machine::{Session, Settings};
use super::application::Application;
use super::audit::audit;
use super::pair::{ROUNDS, TERM, epoch};
use crate::id::{FrameNumber, NameId, ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::breach::Breach;
use crate::wire::frame::{Descriptor, Extent, Frame, LENGTH, Manner, Status, Target};
use crate::wire::hello::Grant;

/// A session and the forger at its other end.
pub(super) struct Forger {
    pub(super) session: Session,
    pub(super) seen: Application,
    pub(super) now: Instant,
    number: u64,
    /// What the session has said and was not looked at.
    said: Vec<u8>,
}

impl Forger {
    pub(super) fn new() -> Forger {
        Forger::with(Limits::default())
    }

    /// A forger that has announced one name, number 1.
    pub(super) fn with(limits: Limits) -> Forger {
        let mut forger = Forger::silent_with(limits);
        forger.say(Frame::Name { id: NameId(1), fingerprint: 7, name: "Interface.method" });
        forger
    }

    /// A forger that has said nothing yet.
    pub(super) fn silent() -> Forger {
        Forger::silent_with(Limits::default())
    }

    fn silent_with(limits: Limits) -> Forger {
        let (now, granted) = (epoch(), Grant::of(&limits));
        let session = Session::new(Settings { limits, granted, term: TERM }, now);
        let seen = Application::default();
        Forger { session, seen, now, number: 0, said: Vec::new() }
    }

    /// Says a frame, with the number that is due.
    pub(super) fn say(&mut self, frame: Frame<'_>) {
        self.number += u64::from(frame.is_numbered());
        self.say_numbered(self.number, frame);
    }

    pub(super) fn say_numbered(&mut self, number: u64, frame: Frame<'_>) {
        let mut bytes = Vec::new();
        frame.write(FrameNumber(number), &mut bytes, |_| {});
        self.say_bytes(&bytes);
    }

    /// Says bytes; tells how many the session used.
    pub(super) fn say_bytes(&mut self, bytes: &[u8]) -> usize {
        let used = self.session.handle_input(self.now, bytes);
        self.note();
        used
    }

    /// Introduces an object, in a call of the same number.
    pub(super) fn introduce(&mut self, object: u64) {
        let mut content = Vec::new();
        let interface = NameId::NONE;
        Descriptor::Mine { object: ObjectId(object), interface }.write(&mut content);
        let extent = Extent { references: content.len() as u64, total: 0 };
        self.say(call_in_parts(object, extent, &content));
    }

    /// What the session said since it was last asked, frame by frame, and as text: frames borrow.
    pub(super) fn hear(&mut self) -> Vec<String> {
        self.collect();
        frames(&std::mem::take(&mut self.said))
            .iter()
            .map(|(_, frame)| format!("{frame:?}"))
            .collect()
    }

    /// What the session said, as bytes.
    pub(super) fn hear_bytes(&mut self) -> Vec<u8> {
        self.collect();
        std::mem::take(&mut self.said)
    }

    /// Time passes, and the session is told.
    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut rounds = 0;
        while self.now < until {
            assert!(rounds < ROUNDS, "its timer goes off again and again");
            rounds += 1;
            let next = self.session.poll_timeout().unwrap_or(until);
            self.now = next.clamp(self.now + Duration::from_nanos(1), until);
            self.session.handle_timeout(self.now, Reads::Active);
            self.note();
        }
    }

    /// The session has ended because of this, and told so, last.
    #[track_caller]
    pub(super) fn assert_breach(&mut self, breach: Breach) {
        assert_eq!(self.seen.breach(), Some(breach.to_string().as_str()));
        let reason = breach.to_string();
        let last = Frame::Close { code: breach.code(), reason: &reason };
        assert_eq!(self.hear().last(), Some(&format!("{last:?}")));
    }

    fn collect(&mut self) {
        for round in 0.. {
            assert!(round < ROUNDS, "it never comes to an end");
            let Some(block) = self.session.poll_transmit(self.now) else { break };
            self.said.extend_from_slice(&block);
        }
        self.note();
    }

    pub(super) fn note(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.seen.handle(event);
        }
        audit(&self.session);
    }
}

/// The frames in what a session said.
pub(super) fn frames(mut bytes: &[u8]) -> Vec<(Option<FrameNumber>, Frame<'_>)> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<LENGTH>() {
        let (frame, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        frames.push(Frame::read(frame).expect("a session says what can be read"));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a session writes whole frames");
    frames
}

/// A call of the forger's, whole in its frame.
pub(super) fn call(question: u64, content: &[u8]) -> Frame<'_> {
    call_in_parts(question, Extent { references: 0, total: 0 }, content)
}

/// A call of the forger's that says how far it goes.
pub(super) fn call_in_parts(question: u64, extent: Extent, content: &[u8]) -> Frame<'_> {
    Frame::Call {
        question: QuestionId(question),
        target: Target::Object(ObjectId::DIRECTORY),
        selector: NameId(1),
        manner: Manner::Ask,
        nesting: 1,
        deadline: 0,
        extent,
        content,
    }
}

/// The same in another manner.
pub(super) fn in_manner(frame: Frame<'_>, wanted: Manner) -> Frame<'_> {
    match frame {
        Frame::Call { question, target, selector, nesting, deadline, extent, content, .. } => {
            let manner = wanted;
            Frame::Call { question, target, selector, manner, nesting, deadline, extent, content }
        }
        other => other,
    }
}

/// An answer of the forger's, whole in its frame.
pub(super) fn answer(question: QuestionId, content: &[u8]) -> Frame<'_> {
    let extent = Extent { references: 0, total: 0 };
    Frame::Answer { question, status: Status::Value, extent, content }
}
