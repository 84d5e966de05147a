//! The drivers of the sessions, modelled after `node/session/driver.rs`: writers, timers, and input.
//!
//! It must not know the events of sessions.

use super::agenda::{At, End, SimEvent};
use super::link::Remembered;
use super::network::{Item, Phase};
use super::node::Condition;
use super::world::World;
use crate::session::Reads;

impl World {
    /// Adds to the agenda what a session needs: writing, its timer, its removal.
    pub(super) fn arrange(&mut self, at: At) {
        let At { life, link } = at;
        let node = &mut self.nodes[life];
        if node.condition == Condition::Dead {
            return;
        }
        let local = node.clock.shows(self.now);
        let side = &mut node.links[link];
        let mut closing = None;
        if side.session.wants_transmit() && side.attached.is_some() {
            if !std::mem::replace(&mut side.will_write, true) {
                let moment = self.now + self.settings.work * self.random.below(101) as u32 / 100;
                self.agenda.enter(moment, SimEvent::Write(at));
            }
        } else if side.session.closed().is_some() {
            closing = side.attached.take();
        }
        if !side.inbox.is_empty() && !std::mem::replace(&mut side.will_begin, true) {
            let moment = self.now + self.settings.work * self.random.below(101) as u32 / 100;
            self.agenda.enter(moment, SimEvent::StartCall(at));
        }
        match side.session.poll_timeout() {
            Some(next) => {
                let next = node.clock.moment(next).max(self.now);
                if side.timer.is_none_or(|timer| timer > next) {
                    side.timer = Some(next);
                    self.agenda.enter(next, SimEvent::Wake(at));
                }
            }
            None if side.session.is_done() && node.current.get(&side.peer) == Some(&link) => {
                let until = local + side.session.term() * 5 / 4;
                let code = side.session.code();
                let remembered = Remembered { secret: side.secret, code, until };
                node.current.remove(&side.peer);
                node.remembered.insert(side.peer, remembered);
            }
            None => {}
        }
        if let Some(end) = closing {
            self.close_end(end);
        }
    }

    pub(super) fn write(&mut self, at: At) {
        let local = self.local(at.life);
        let side = &mut self.nodes[at.life].links[at.link];
        side.will_write = false;
        let Some(end) = side.attached else { return };
        let block = side.session.poll_transmit(local);
        let session = &side.session;
        let is_idle = block.is_some() || !session.wants_transmit();
        assert!(is_idle, "a session reports output and returns none");
        let is_over = session.import_count() > 0 && session.lease_left(local).is_zero();
        assert!(block.is_none() || !is_over, "nothing is sent to objects that may be gone");
        self.nodes[at.life].mark_changed(at.link);
        if let Some(block) = block {
            self.transmit_item(end, Item::Bytes(block.clone()));
            let (often, chance) = (self.settings.repeats / 100, self.settings.repeats % 100);
            for _ in 0..often + usize::from(self.random.percent(chance)) {
                self.transmit_item(end, Item::Bytes(block.clone()));
            }
        }
    }

    pub(super) fn wake(&mut self, at: At) {
        let local = self.local(at.life);
        let side = &mut self.nodes[at.life].links[at.link];
        if side.timer.is_none_or(|timer| timer > self.now) {
            return; // The timer was set again.
        }
        side.timer = None;
        if side.session.poll_timeout().is_some_and(|next| next <= local) {
            let reads_blocked = self.random.percent(self.settings.unreadable);
            let reads = if reads_blocked { Reads::Blocked } else { Reads::Active };
            side.session.handle_timeout(local, reads);
            let next = side.session.poll_timeout();
            assert!(next.is_none_or(|next| next > local), "a due timer was handled");
        }
        self.nodes[at.life].mark_changed(at.link);
    }

    /// Sends an item to the other end.
    pub(super) fn transmit_item(&mut self, from: End, item: Item) {
        let [least, max] = self.settings.delay;
        let arrival = self.now + least + self.up_to(max - least);
        if let Some(arrival) = self.network.push(from.other(), arrival, item) {
            self.agenda.enter(arrival, SimEvent::Arrive(from.other()));
        }
    }

    pub(super) fn arrive(&mut self, end: End) {
        let places = [end.other(), end].map(|end| self.nodes[self.network.end(end).life].place);
        if self.network.withholds(places[0], places[1]) {
            return; // It arrives when the partition has healed.
        }
        let endpoint = self.network.end_mut(end);
        if matches!(endpoint.phase, Phase::Gone) {
            return endpoint.pipe.clear();
        }
        match endpoint.pipe.front() {
            Some((arrival, _)) if *arrival > self.now => {
                let arrival = *arrival;
                return self.agenda.enter(arrival, SimEvent::Arrive(end));
            }
            Some(_) => {}
            None => return,
        }
        let Some((_, item)) = endpoint.pipe.pop_front() else { return };
        match item {
            Item::Bytes(block) => self.arrive_bytes(end, &block),
            Item::Closed => self.detect_loss(end),
            other => self.introduce(end, other),
        }
    }

    fn arrive_bytes(&mut self, end: End, block: &[u8]) {
        let mut taken = block.len();
        if self.random.percent(self.settings.splits) {
            taken = self.random.below(block.len() + 1);
            let rest = Item::Bytes(block[taken..].to_vec().into());
            self.network.end_mut(end).pipe.push_front((self.now, rest));
            self.agenda.enter(self.now + self.settings.work, SimEvent::Arrive(end));
        }
        let endpoint = self.network.end_mut(end);
        let Phase::Attached { link, number } = endpoint.phase else { return };
        endpoint.arrived.extend_from_slice(&block[..taken]);
        let life = endpoint.life;
        let local = self.nodes[life].clock.shows(self.now);
        let side = &mut self.nodes[life].links[link];
        // Bytes from a former connection are ignored.
        if side.number == number && !side.session.is_suspended() {
            let used = side.session.handle_input(local, &endpoint.arrived);
            endpoint.arrived.drain(..used);
            self.nodes[life].mark_changed(link);
        }
    }
}
