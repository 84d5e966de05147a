//! Two connected sessions, with a virtual clock, and two pipes that delay bytes and split them anywhere.
//!
//! It must not know what is sent. After each step both sessions are audited.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};
use std::time::{Duration, Instant};

use super::super::chain::Chain;
use super::super::command::OutgoingCall;
use super::super::header::CallHeader;
use super::super::lease::Reads;
use super::super::machine::{Session, Settings};
use super::application::Application;
use super::audit::audit;
use crate::error::Error;
use crate::id::{CallToken, NameId, ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::content::Content;
use crate::wire::descriptor::Descriptor;
use crate::wire::fingerprint::Fingerprint;
use crate::wire::frame::{Manner, Status, Target};
use crate::wire::hello::Grant;

/// The target of calls to the directory.
pub(super) const DIRECTORY: Target = Target::Object(ObjectId::DIRECTORY);

/// The term of the lease between them.
pub(super) const TERM: Duration = Duration::from_secs(30);

/// The number of rounds after which two sides must be idle.
pub(super) const ROUNDS: usize = 10_000;

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

use Side::{Left, Right};

impl Side {
    pub(super) const BOTH: [Side; 2] = [Left, Right];

    pub(super) fn other(self) -> Side {
        match self {
            Left => Right,
            Right => Left,
        }
    }
}

/// Two sessions, and the connection between them.
pub(super) struct Pair {
    pub(super) now: Instant,
    latency: Duration,
    ends: [Endpoint; 2],
    next_token: usize,
    next_object: u64,
}

struct Endpoint {
    session: Session,
    application: Application,
    /// The bytes in transit to this side, with their times of arrival.
    pipe: VecDeque<(Instant, Vec<u8>)>,
    /// The beginning of a frame that has arrived.
    arrived: Vec<u8>,
}

impl Index<Side> for Pair {
    type Output = Session;

    fn index(&self, side: Side) -> &Session {
        &self.ends[side as usize].session
    }
}

impl IndexMut<Side> for Pair {
    fn index_mut(&mut self, side: Side) -> &mut Session {
        &mut self.ends[side as usize].session
    }
}

/// The header of a call of the tests.
pub(super) fn header(manner: Manner, nesting: u8) -> CallHeader<(&'static str, Fingerprint)> {
    CallHeader {
        selector: ("Interface.method", Fingerprint::from(7)),
        manner,
        nesting,
        deadline: None,
        chain: Chain::default(),
        is_continuation: false,
    }
}

impl Pair {
    pub(super) fn new() -> Pair {
        Pair::with(Limits::default(), Limits::default())
    }

    pub(super) fn with(left: Limits, right: Limits) -> Pair {
        let now = epoch();
        let grants = [Grant::of(&right), Grant::of(&left)];
        let mut settings = [left, right].into_iter().zip(grants);
        let ends = std::array::from_fn(|_| {
            let (limits, granted) = settings.next().expect("there are two");
            Endpoint {
                session: Session::new(Settings { limits, granted, term: TERM }, now),
                application: Application::default(),
                pipe: VecDeque::new(),
                arrived: Vec::new(),
            }
        });
        Pair { now, latency: Duration::from_millis(1), ends, next_token: 0, next_object: 1 }
    }

    /// Returns what the application of one side has seen.
    pub(super) fn application(&mut self, side: Side) -> &mut Application {
        &mut self.ends[side as usize].application
    }

    /// Sends a message. Its token is the number of messages sent before it.
    pub(super) fn send(
        &mut self,
        from: Side,
        manner: Manner,
        target: Target,
        content: Content,
    ) -> Result<QuestionId, Error> {
        self.send_with((None, 1), from, manner, target, content)
    }

    fn send_with(
        &mut self,
        (deadline, nesting): (Option<Instant>, u8),
        from: Side,
        manner: Manner,
        target: Target,
        content: Content,
    ) -> Result<QuestionId, Error> {
        let token = self.next_token;
        self.next_token += 1;
        let header = CallHeader { deadline, ..header(manner, nesting) };
        let ask = OutgoingCall { token: CallToken(token), target, header, content };
        let now = self.now;
        let question = self[from].ask(Some(now), ask);
        self.handle_events(from);
        question
    }

    /// Sends a call with a deadline.
    pub(super) fn ask_with_deadline(&mut self, from: Side, deadline: Instant) -> QuestionId {
        let content = Content::default();
        let asked = self.send_with((Some(deadline), 1), from, Manner::Call, DIRECTORY, content);
        asked.expect("the call is sent")
    }

    /// Sends a call as from within a method.
    pub(super) fn ask_from_method(&mut self, from: Side, content: Content) -> QuestionId {
        let asked = self.send_with((None, 2), from, Manner::Call, DIRECTORY, content);
        asked.expect("the call is sent")
    }

    pub(super) fn ask(&mut self, from: Side, target: Target, content: Content) -> QuestionId {
        self.send(from, Manner::Call, target, content).expect("the call is sent")
    }

    pub(super) fn promise(&mut self, from: Side, target: Target, content: Content) -> QuestionId {
        self.send(from, Manner::Promise, target, content).expect("the call is sent")
    }

    pub(super) fn send_one_way(
        &mut self,
        from: Side,
        target: Target,
        content: Content,
    ) -> QuestionId {
        self.send(from, Manner::OneWay, target, content).expect("the call is sent")
    }

    /// Returns the token of the last message.
    pub(super) fn last_token(&self) -> usize {
        self.next_token - 1
    }

    pub(super) fn answer(&mut self, from: Side, question: QuestionId, content: Content) {
        self[from].answer(question, Status::Value, content);
        self.handle_events(from);
    }

    /// Answers every call that has arrived, with empty content.
    pub(super) fn answer_all(&mut self, from: Side) {
        for call in std::mem::take(&mut self.application(from).calls) {
            self[from].answer(call.question, Status::Value, Content::default());
        }
        self.handle_events(from);
    }

    /// Makes a new object, introduces it, and returns its descriptor to be sent.
    pub(super) fn introduce(&mut self, from: Side) -> (ObjectId, Descriptor) {
        let object = ObjectId(self.next_object);
        self.next_object += 1;
        (object, self.introduce_again(from, object))
    }

    pub(super) fn introduce_again(&mut self, from: Side, object: ObjectId) -> Descriptor {
        self[from].introduce(object).expect("there is room for references");
        Descriptor::Mine { object, interface: NameId::NONE }
    }

    /// Makes a new object of one side, to which the other holds one reference.
    pub(super) fn new_export(&mut self, from: Side) -> ObjectId {
        let (object, descriptor) = self.introduce(from);
        let content = Content { references: vec![descriptor], ..Content::default() };
        self.send_one_way(from, DIRECTORY, content);
        self.run_until_idle();
        let call = self.application(from.other()).calls.pop().expect("it arrived");
        self.answer(from.other(), call.question, Content::default());
        self.run_until_idle();
        object
    }

    /// Writes the output of one side once, if there is some.
    pub(super) fn transmit(&mut self, from: Side) {
        if !self[from].wants_transmit() {
            return;
        }
        let now = self.now;
        match self[from].poll_transmit(now) {
            Some(block) => {
                let arrival = now + self.latency;
                self.ends[from.other() as usize].pipe.push_back((arrival, block.to_vec()));
            }
            None => assert!(!self[from].wants_transmit(), "it reports output and returns none"),
        }
        self.handle_events(from);
    }

    /// Passes to one side at most this many of the bytes that have arrived by now.
    pub(super) fn deliver(&mut self, to: Side, max: usize) {
        let (now, end) = (self.now, &mut self.ends[to as usize]);
        let mut left = max;
        while let Some((arrival, bytes)) = end.pipe.front_mut() {
            if *arrival > now || left == 0 {
                break;
            }
            let taken = left.min(bytes.len());
            end.arrived.extend(bytes.drain(..taken));
            left -= taken;
            if bytes.is_empty() {
                end.pipe.pop_front();
            }
        }
        if left < max {
            let used = end.session.handle_input(now, &end.arrived);
            end.arrived.drain(..used);
        }
        self.handle_events(to);
    }

    /// Breaks the connection: the bytes in transit are lost, as is the beginning of a frame. A side that does not notice
    /// learns of it by the next connection.
    pub(super) fn cut(&mut self, noticed: &[Side]) {
        for end in &mut self.ends {
            end.pipe.clear();
            end.arrived.clear();
        }
        for side in noticed {
            self[*side].suspend("the cable was pulled");
            self.handle_events(*side);
        }
    }

    /// Makes a new connection, on which each side reports the frames that it has received.
    pub(super) fn reconnect(&mut self) {
        let now = self.now;
        self.cut(&[]);
        let arrived = Side::BOTH.map(|side| self[side.other()].received());
        // Left decides; Right gets the reply.
        let asked = [None, Some(now)];
        for ((side, arrived), asked) in Side::BOTH.into_iter().zip(arrived).zip(asked) {
            self[side].resume(now, asked, arrived);
            self.handle_events(side);
        }
    }

    /// Returns true if bytes are in transit to a side.
    pub(super) fn is_coming(&self, to: Side) -> bool {
        !self.ends[to as usize].pipe.is_empty()
    }

    /// Lets each side write once, and delivers that.
    pub(super) fn exchange(&mut self) {
        Side::BOTH.into_iter().for_each(|side| self.transmit(side));
        self.now += self.latency;
        Side::BOTH.into_iter().for_each(|side| self.deliver(side, usize::MAX));
    }

    /// Runs until both sides are idle.
    pub(super) fn run_until_idle(&mut self) {
        let mut rounds = 0;
        while Side::BOTH.into_iter().any(|side| self[side].wants_transmit() || self.is_coming(side))
        {
            assert!(rounds < ROUNDS, "the two are never idle");
            rounds += 1;
            self.exchange();
        }
    }

    /// Advances the time, and calls the timers of both.
    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut rounds = 0;
        while self.now < until {
            assert!(rounds < 10 * ROUNDS, "timers fire without end");
            rounds += 1;
            let next = Side::BOTH.map(|side| self[side].poll_timeout().unwrap_or(until));
            let soon = self.now + self.latency;
            self.now = next[0].min(next[1]).max(soon).min(until);
            for side in Side::BOTH {
                self.wake(side);
                self.transmit(side);
                self.deliver(side, usize::MAX);
            }
        }
    }

    /// Calls the timers of one side.
    pub(super) fn wake(&mut self, side: Side) {
        let now = self.now;
        self[side].handle_timeout(now, Reads::Active);
        self.handle_events(side);
    }

    /// Handles the events of one side, and audits it.
    pub(super) fn handle_events(&mut self, side: Side) {
        let end = &mut self.ends[side as usize];
        while let Some(event) = end.session.poll_event() {
            end.application.handle(event);
        }
        audit(&end.session);
    }
}

/// Returns an arbitrary time to count from. The clock is not read again.
pub(super) fn epoch() -> Instant {
    Instant::now()
}
