//! Owns two sessions that speak with each other: a virtual clock, and two pipes that deliver late and split anywhere.
//!
//! It must not know what is sent. After each step both sessions are audited.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};
use std::time::{Duration, Instant};

use super::super::command::Ask;
use super::super::header::CallHeader;
use super::super::lease::Reads;
use super::super::machine::{Session, Settings};
use super::application::Application;
use super::audit::audit;
use crate::error::Error;
use crate::id::{CallToken, NameId, ObjectId, QuestionId};
use crate::limits::Limits;
use crate::wire::content::Content;
use crate::wire::frame::{Descriptor, Manner, Status, Target};
use crate::wire::hello::Grant;

/// Whom every peer may call.
pub(super) const DIRECTORY: Target = Target::Object(ObjectId::DIRECTORY);

/// The term of the lease between them.
pub(super) const TERM: Duration = Duration::from_secs(30);

/// By then two sides that have nothing new to say have said all there is.
pub(super) const ROUNDS: usize = 10_000;

/// One of the two.
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

/// Two sessions and the way between them.
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
    /// What is on its way here, and when it arrives.
    pipe: VecDeque<(Instant, Vec<u8>)>,
    /// What has arrived, and is not yet a whole frame.
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
pub(super) fn header(manner: Manner, nesting: u8) -> CallHeader<(&'static str, u64)> {
    CallHeader { selector: ("Interface.method", 7), manner, nesting, deadline: None }
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

    /// What the application at one end has seen.
    pub(super) fn seen(&mut self, side: Side) -> &mut Application {
        &mut self.ends[side as usize].application
    }

    /// Sends a message; its token is the number of messages sent before it.
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
        let ask = Ask { token: CallToken(token), target, header, content };
        let now = self.now;
        let question = self[from].ask(Some(now), ask);
        self.note(from);
        question
    }

    /// Asks with a deadline.
    pub(super) fn ask_before(&mut self, from: Side, deadline: Instant) -> QuestionId {
        let content = Content::default();
        let asked = self.send_with((Some(deadline), 1), from, Manner::Ask, DIRECTORY, content);
        asked.expect("the call is sent")
    }

    /// Asks from within a method.
    pub(super) fn ask_within(&mut self, from: Side, content: Content) -> QuestionId {
        let asked = self.send_with((None, 2), from, Manner::Ask, DIRECTORY, content);
        asked.expect("the call is sent")
    }

    pub(super) fn ask(&mut self, from: Side, target: Target, content: Content) -> QuestionId {
        self.send(from, Manner::Ask, target, content).expect("the call is sent")
    }

    pub(super) fn promise(&mut self, from: Side, target: Target, content: Content) -> QuestionId {
        self.send(from, Manner::Promise, target, content).expect("the call is sent")
    }

    pub(super) fn tell(&mut self, from: Side, target: Target, content: Content) -> QuestionId {
        self.send(from, Manner::Tell, target, content).expect("the call is sent")
    }

    /// The token of the message sent last.
    pub(super) fn last_token(&self) -> usize {
        self.next_token - 1
    }

    pub(super) fn answer(&mut self, from: Side, question: QuestionId, content: Content) {
        self[from].answer(question, Status::Value, content);
        self.note(from);
    }

    /// Answers every call that has arrived, emptily.
    pub(super) fn answer_all(&mut self, from: Side) {
        for call in std::mem::take(&mut self.seen(from).calls) {
            self[from].answer(call.question, Status::Value, Content::default());
        }
        self.note(from);
    }

    /// A new object, introduced to the peer: to be sent.
    pub(super) fn introduce(&mut self, from: Side) -> (ObjectId, Descriptor) {
        let object = ObjectId(self.next_object);
        self.next_object += 1;
        (object, self.introduce_again(from, object))
    }

    pub(super) fn introduce_again(&mut self, from: Side, object: ObjectId) -> Descriptor {
        self[from].introduce(object).expect("there is room for references");
        Descriptor::Mine { object, interface: NameId::NONE }
    }

    /// A new object of one side's that the other holds one reference to.
    pub(super) fn given(&mut self, from: Side) -> ObjectId {
        let (object, descriptor) = self.introduce(from);
        let content = Content { references: vec![descriptor], ..Content::default() };
        self.tell(from, DIRECTORY, content);
        self.settle();
        let call = self.seen(from.other()).calls.pop().expect("it arrived");
        self.answer(from.other(), call.question, Content::default());
        self.settle();
        object
    }

    /// Has one side write once, if it has anything to write.
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
            None => assert!(!self[from].wants_transmit(), "it would be asked again and again"),
        }
        self.note(from);
    }

    /// Has one side read so many bytes at most of what has arrived by now.
    pub(super) fn deliver(&mut self, to: Side, most: usize) {
        let (now, end) = (self.now, &mut self.ends[to as usize]);
        let mut left = most;
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
        if left < most {
            let used = end.session.handle_input(now, &end.arrived);
            end.arrived.drain(..used);
        }
        self.note(to);
    }

    /// The connection breaks: what is on its way is lost, and so is what has arrived of a frame. Each side notices when it
    /// does: one that did not is told by the next connection.
    pub(super) fn cut(&mut self, noticed: &[Side]) {
        for end in &mut self.ends {
            end.pipe.clear();
            end.arrived.clear();
        }
        for side in noticed {
            self[*side].suspend("the cable was pulled");
            self.note(*side);
        }
    }

    /// There is another connection, and each side says how far the frames of the other had arrived.
    pub(super) fn reconnect(&mut self) {
        let now = self.now;
        self.cut(&[]);
        let arrived = Side::BOTH.map(|side| self[side.other()].received());
        // Left decides, Right learns of it.
        let asked = [None, Some(now)];
        for ((side, arrived), asked) in Side::BOTH.into_iter().zip(arrived).zip(asked) {
            self[side].resume(now, asked, arrived);
            self.note(side);
        }
    }

    /// Whether anything is on its way to one side.
    pub(super) fn is_coming(&self, to: Side) -> bool {
        !self.ends[to as usize].pipe.is_empty()
    }

    /// One write by each side, and its arrival.
    pub(super) fn exchange(&mut self) {
        Side::BOTH.into_iter().for_each(|side| self.transmit(side));
        self.now += self.latency;
        Side::BOTH.into_iter().for_each(|side| self.deliver(side, usize::MAX));
    }

    /// Until neither side has anything to write, and nothing is on its way.
    pub(super) fn settle(&mut self) {
        let mut rounds = 0;
        while Side::BOTH.into_iter().any(|side| self[side].wants_transmit() || self.is_coming(side))
        {
            assert!(rounds < ROUNDS, "the two never come to rest");
            rounds += 1;
            self.exchange();
        }
    }

    /// Time passes; both are told whenever they want to be.
    pub(super) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut rounds = 0;
        while self.now < until {
            assert!(rounds < 10 * ROUNDS, "timers go off again and again");
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

    /// Tells one side what time it is.
    pub(super) fn wake(&mut self, side: Side) {
        let now = self.now;
        self[side].handle_timeout(now, Reads::Active);
        self.note(side);
    }

    /// Sees to what one side has to tell, and audits it.
    pub(super) fn note(&mut self, side: Side) {
        let end = &mut self.ends[side as usize];
        while let Some(event) = end.session.poll_event() {
            end.application.handle(event);
        }
        audit(&end.session);
    }
}

/// A moment to count from. Only differences matter: nothing here looks at a clock again.
pub(super) fn epoch() -> Instant {
    Instant::now()
}
