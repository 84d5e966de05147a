//! The invariants of a session's tables, which hold at any time.
//!
//! It must not know the history of the session.

use std::collections::HashMap;

use super::super::admission::named;
use super::super::machine::Session;
use super::super::outgoing::Queued;
use super::super::questions::{Finish, Progress};
use crate::id::ObjectId;
use crate::wire::frame::Target;

/// Checks each table by itself, and the tables against each other.
pub(super) fn audit(session: &Session) {
    session.questions.check();
    session.answers.check();
    session.exports.check();
    session.partial_calls.check();
    session.partial_answers.check();
    session.outgoing.check();
    if session.closed.is_some() {
        return assert_empty(session);
    }
    let queued = || session.waiting.iter().chain(session.outgoing.blocked());
    let mut pins: HashMap<ObjectId, u64> = HashMap::new();
    let unsent = queued().map(|call| (Some(call.target), call.references.as_slice()));
    for (target, references) in unsent.chain(session.outgoing.incomplete()) {
        for object in named(target, references) {
            *pins.entry(object).or_default() += 1;
        }
    }
    session.imports.check(&pins);

    let asked: HashMap<_, _> = session.questions.iter().collect();
    let live = |call: &&Queued| asked.contains_key(&call.question);
    let withdrawn = session.waiting.iter().filter(|call| !live(call)).count();
    assert_eq!(session.withdrawn, withdrawn);
    assert!(
        session.waiting.front().is_none_or(|call| live(&call)),
        "the first one holds up others"
    );
    let mut users: HashMap<_, u32> = HashMap::new();
    let incomplete = session.outgoing.incomplete().filter_map(|(target, _)| target);
    for target in queued().map(|call| call.target).chain(incomplete) {
        *users.entry(target).or_default() += 1;
    }
    for (id, question) in &asked {
        let users = users.get(&Target::Answer(*id)).copied().unwrap_or(0);
        assert_eq!(question.users, users, "users of {id:?}");
        let sent = !matches!(question.progress, Progress::Waiting | Progress::Admitted);
        assert!(
            !(question.finish == Finish::Wanted && users == 0 && sent),
            "{id:?} is not finished"
        );
    }
}

/// Asserts that all tables are empty. The last frames may be unacknowledged.
pub(super) fn assert_empty(session: &Session) {
    assert_eq!(session.question_count(), 0, "questions");
    assert_eq!(session.answers.len(), 0, "answers");
    assert!(session.keeps_exports || session.export_count() == 0, "exports");
    assert_eq!(session.import_count(), 0, "imports");
    assert_eq!(session.watches.len(), 0, "watches");
    assert_eq!(session.waiting.len(), 0, "waiting calls");
    assert_eq!(session.outgoing.blocked().count(), 0, "calls behind large ones");
    assert_eq!(session.outgoing.incomplete().count(), 0, "large bodies");
    assert_eq!(session.partial_calls.held() + session.partial_answers.held(), 0, "parts");
}
