//! The cases for the frames of calls and answers.

use super::FRAMES;
use super::hello::Hello;
use super::peer::{TARGET, greater};
use super::setup::{Setup, call_to, frames_of, questions_of, wide_hello, wide_limits};
use super::wire::{
    ANSWER, ANSWER_CHUNK, Bytes, CALL_CHUNK, CANCEL, Call, FINISH, Frame, To, answer as reply, mine,
};
use remote_core::Limits;

/// `Call` to one of many objects, while many calls run.
pub(crate) fn call(size: u64) -> u64 {
    let mut setup = Setup::new();
    let objects = setup.export(size);
    setup.execute(size);
    let call = setup.call("add", Bytes::new().count(1));
    let calls = setup.calls_like(&call, FRAMES);
    let to = objects.iter().cycle().map(|object| To::Object(*object));
    let calls: Vec<Call> = calls.iter().zip(to).map(|(call, to)| call_to(call, to)).collect();
    setup.count(&frames_of(&calls));
    FRAMES
}

/// `Call` to one of many promised answers.
pub(crate) fn call_to_answer(size: u64) -> u64 {
    let mut setup = Setup::new();
    let promises = setup.promise(size);
    let call = setup.call("add", Bytes::new().count(1));
    let calls = setup.calls_like(&call, FRAMES);
    let to = promises.iter().cycle().map(|question| To::Answer(*question));
    let calls: Vec<Call> = calls.iter().zip(to).map(|(call, to)| call_to(call, to)).collect();
    setup.count(&frames_of(&calls));
    FRAMES
}

/// `Call` that introduces an object of the peer, after it has introduced many.
pub(crate) fn call_with_reference(size: u64) -> u64 {
    let mut setup = Setup::new();
    setup.import(size);
    let interface = setup.drive(async |peer| peer.name(TARGET).await);
    let call = setup.call("keep_all", Bytes::new().count(1).count(0));
    let calls = setup.calls_like(&call, FRAMES);
    let calls = calls.into_iter().zip(size + 1..);
    let calls: Vec<Call> = calls.map(|(call, object)| call.with(mine(object, interface))).collect();
    setup.count(&frames_of(&calls));
    FRAMES
}

fn answer_of(question: &u64) -> Frame {
    reply(*question, 0, Bytes::new().count(1), Bytes::new())
}

/// `Answer` to one of many questions.
pub(crate) fn answer(size: u64) -> u64 {
    let mut setup = Setup::new();
    let object = setup.import(1).remove(0);
    let questions = setup.ask(&object, size + FRAMES);
    let last = &questions[size as usize..];
    setup.count(&last.iter().map(answer_of).collect::<Vec<_>>());
    FRAMES
}

/// `Answer` that makes room for the first of many calls that wait.
pub(crate) fn answer_while_calls_wait(size: u64) -> u64 {
    let hello = Hello { calls: FRAMES, ..wide_hello(greater()) };
    let mut setup = Setup::with(wide_limits(), hello);
    let object = setup.import(1).remove(0);
    let questions = setup.ask(&object, size + 2 * FRAMES);
    assert_eq!(questions.len() as u64, FRAMES, "the others wait");
    setup.count(&questions.iter().map(answer_of).collect::<Vec<_>>());
    FRAMES
}

/// The last `CallChunk` of a call, while many calls have arrived in part.
pub(crate) fn call_chunk(size: u64) -> u64 {
    let mut setup = Setup::new();
    // A byte string of one byte. The chunk contains the byte.
    let call = setup.call("length", Bytes::new().count(1));
    let call = Call { total: 2, ..call };
    let calls = setup.calls_like(&call, size + FRAMES);
    setup.send(&frames_of(&calls));
    let chunk = |call: &Call| Frame::new(CALL_CHUNK, Bytes::new().number(call.question).byte(7));
    setup.count(&calls[size as usize..].iter().map(chunk).collect::<Vec<_>>());
    FRAMES
}

/// The last `AnswerChunk` of an answer, while many answers have arrived in part.
pub(crate) fn answer_chunk(size: u64) -> u64 {
    let mut setup = Setup::new();
    let object = setup.import(1).remove(0);
    let questions = setup.ask(&object, size + FRAMES);
    // The number 300. The chunk contains its last byte.
    let begin = |question: &u64| {
        let fields = Bytes::new().number(*question).byte(0).number(0).number(3).byte(251).byte(44);
        Frame::new(ANSWER, fields)
    };
    setup.send(&questions.iter().map(begin).collect::<Vec<_>>());
    let chunk = |question: &u64| Frame::new(ANSWER_CHUNK, Bytes::new().number(*question).byte(1));
    setup.count(&questions[size as usize..].iter().map(chunk).collect::<Vec<_>>());
    FRAMES
}

fn cancel(question: &u64) -> Frame {
    Frame::numbers(CANCEL, &[*question])
}

/// `Cancel` of one of many calls that run.
pub(crate) fn cancel_running(size: u64) -> u64 {
    let mut setup = Setup::new();
    let questions = setup.execute(size + FRAMES);
    setup.count(&questions[size as usize..].iter().map(cancel).collect::<Vec<_>>());
    FRAMES
}

/// `Cancel` of one of many calls that have not started, because the peer acknowledges nothing.
pub(crate) fn cancel_waiting(size: u64) -> u64 {
    const ANSWER_BYTES: u64 = 200_000;
    let least =
        Limits { body: 256 << 10, queue: 256 << 10, unacknowledged: 2 << 20, ..wide_limits() };
    let mut setup = Setup::with(least, wide_hello(greater()));
    setup.peer.acknowledged = None;
    let call = setup.call("large", Bytes::new().count(ANSWER_BYTES));
    let large = setup.calls_like(&call, 20);
    setup.send(&frames_of(&large));
    let call = setup.call("never", Bytes::new());
    let calls = setup.calls_like(&call, size + FRAMES);
    setup.send(&frames_of(&calls));
    let begun = setup.host.keeper.begun.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(begun, 0, "there is no room for their answers");
    // Calls from all parts of the queue, because a search may begin at either end.
    let spread = questions_of(&calls).into_iter().step_by((size / FRAMES + 1) as usize);
    setup
        .count(&spread.take(FRAMES as usize).map(|question| cancel(&question)).collect::<Vec<_>>());
    FRAMES
}

/// `Finish` of one of many promises.
pub(crate) fn finish(size: u64) -> u64 {
    let mut setup = Setup::new();
    let questions = setup.promise(size + FRAMES);
    let last = &questions[size as usize..];
    let finish = |question: &u64| Frame::numbers(FINISH, &[*question]);
    setup.count(&last.iter().map(finish).collect::<Vec<_>>());
    FRAMES
}
