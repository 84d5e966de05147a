//! A session whose peer is scripted: the forger sends any frames in any order, and reads all output.
//!
//! It must not follow the protocol by itself, except for the numbers of frames, on request.

use std::time::{Duration, Instant};

use super::super::lease::Reads;
use super::super::machine::{Session, Settings};
use super::application::Application;
use super::audit::audit;
use super::pair::{ROUNDS, TERM, epoch};
use crate::id::{FrameNumber, NameId, ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::breach::Breach;
use crate::wire::descriptor::Descriptor;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::{Extent, Frame, LENGTH, Manner, Status, Target};
use crate::wire::hello::Grant;

/// A session, with the forger as its peer.
pub(super) struct Forger {
    pub(super) session: Session,
    pub(super) application: Application,
    pub(super) now: Instant,
    number: u64,
    /// Output of the session that was not read yet.
    output: Vec<u8>,
}

impl Forger {
    pub(super) fn new() -> Forger {
        Forger::with(Limits::default())
    }

    /// Makes a forger that has announced one name, with number 1.
    pub(super) fn with(limits: Limits) -> Forger {
        let mut forger = Forger::silent_with(limits);
        forger.send(Frame::Name {
            id: NameId(1),
            fingerprint: Fingerprint::from(7),
            name: "Interface.method",
        });
        forger
    }

    /// Makes a forger that has sent nothing yet.
    pub(super) fn silent() -> Forger {
        Forger::silent_with(Limits::default())
    }

    fn silent_with(limits: Limits) -> Forger {
        let (now, granted) = (epoch(), Grant::of(&limits));
        let session = Session::new(Settings { limits, granted, term: TERM }, now);
        let application = Application::default();
        Forger { session, application, now, number: 0, output: Vec::new() }
    }

    /// Sends a frame, with the next number.
    pub(super) fn send(&mut self, frame: Frame<'_>) {
        self.number += u64::from(frame.is_numbered());
        self.send_numbered(self.number, frame);
    }

    pub(super) fn send_numbered(&mut self, number: u64, frame: Frame<'_>) {
        let mut bytes = Vec::new();
        frame.write(FrameNumber(number), &mut bytes, |_| {});
        self.send_bytes(&bytes);
    }

    /// Sends bytes. Returns how many the session used.
    pub(super) fn send_bytes(&mut self, bytes: &[u8]) -> usize {
        let used = self.session.handle_input(self.now, bytes);
        self.handle_events();
        used
    }

    /// Introduces an object, in a call with the same number.
    pub(super) fn introduce(&mut self, object: u64) {
        let mut content = Vec::new();
        let interface = NameId::NONE;
        Descriptor::Mine { object: ObjectId(object), interface }.write(&mut content);
        let extent = Extent { references: content.len() as u64, total: 0 };
        self.send(call_in_parts(object, extent, &content));
    }

    /// Returns the output since the last call, one text for each frame, since frames borrow.
    pub(super) fn take_output(&mut self) -> Vec<String> {
        self.collect();
        frames(&std::mem::take(&mut self.output))
            .iter()
            .map(|(_, frame)| format!("{frame:?}"))
            .collect()
    }

    /// Returns the output as bytes.
    pub(super) fn take_output_bytes(&mut self) -> Vec<u8> {
        self.collect();
        std::mem::take(&mut self.output)
    }

    /// Advances the time, and calls the timers of the session.
    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut rounds = 0;
        while self.now < until {
            assert!(rounds < ROUNDS, "the timer fires without end");
            rounds += 1;
            let next = self.session.poll_timeout().unwrap_or(until);
            self.now = next.clamp(self.now + Duration::from_nanos(1), until);
            self.session.handle_timeout(self.now, Reads::Active);
            self.handle_events();
        }
    }

    /// Asserts that the session has ended with this breach, and that `Close` was its last frame.
    #[track_caller]
    pub(super) fn assert_breach(&mut self, breach: Breach) {
        assert_eq!(self.application.breach(), Some(breach.to_string().as_str()));
        let reason = breach.to_string();
        let last = Frame::Close { code: breach.code(), reason: &reason };
        assert_eq!(self.take_output().last(), Some(&format!("{last:?}")));
    }

    fn collect(&mut self) {
        for round in 0.. {
            assert!(round < ROUNDS, "the output never ends");
            let Some(block) = self.session.poll_transmit(self.now) else { break };
            self.output.extend_from_slice(&block);
        }
        self.handle_events();
    }

    pub(super) fn handle_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.application.handle(event);
        }
        audit(&self.session);
    }
}

/// Splits the output of a session into frames.
pub(super) fn frames(mut bytes: &[u8]) -> Vec<(Option<FrameNumber>, Frame<'_>)> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<LENGTH>() {
        let (frame, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        frames.push(Frame::read(frame).expect("a session writes valid frames"));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a session writes whole frames");
    frames
}

/// Returns a call of the forger, in one frame.
pub(super) fn call(question: u64, content: &[u8]) -> Frame<'_> {
    call_in_parts(question, Extent { references: 0, total: 0 }, content)
}

/// Returns a call of the forger with this extent.
pub(super) fn call_in_parts(question: u64, extent: Extent, content: &[u8]) -> Frame<'_> {
    Frame::Call {
        question: QuestionId(question),
        target: Target::Object(ObjectId::DIRECTORY),
        selector: NameId(1),
        manner: Manner::Call,
        nesting: 1,
        deadline: 0,
        chain: &[],
        extent,
        content,
    }
}

/// Returns the call in another manner.
pub(super) fn in_manner(frame: Frame<'_>, wanted: Manner) -> Frame<'_> {
    match frame {
        Frame::Call { question, target, selector, nesting, deadline, extent, content, .. } => {
            let manner = wanted;
            Frame::Call {
                question,
                target,
                selector,
                manner,
                nesting,
                deadline,
                chain: &[],
                extent,
                content,
            }
        }
        other => other,
    }
}

/// Returns an answer of the forger, in one frame.
pub(super) fn answer(question: QuestionId, content: &[u8]) -> Frame<'_> {
    let extent = Extent { references: 0, total: 0 };
    Frame::Answer { question, status: Status::Value, extent, content }
}
