//! Owns the question who can reach what, asked after every step, of every holder: a live one within its lease reaches its
//! object, and no other. And the sums of the tables.
//!
//! It must not change anything, nor ask a holder's own counts: it walks the way that a call would take.

use super::node::{Condition, Node, Receiver, Way};
use super::world::World;
use crate::id::{Identity, ObjectId};
use crate::session::event::Cause;

impl World {
    pub(super) fn check(&self) {
        for node in self.nodes.iter().filter(|node| node.condition != Condition::Dead) {
            for proxy in node.proxies.values() {
                self.check_way(node, proxy.way, proxy.truth);
                proxy.next.into_iter().for_each(|next| self.check_way(node, next, proxy.truth));
            }
            self.check_table(node);
        }
    }

    fn check_way(&self, node: &Node, way: Way, truth: Identity) {
        let way = match way {
            Way::By(import) => import,
            Way::Home(object) => {
                assert!(node.objects.contains_key(&object), "{object:?} is gone");
                return assert_eq!(Identity { node: node.id, object }, truth, "it is another one");
            }
        };
        let side = &node.links[way.link];
        if side.session.closed().is_some()
            || side.session.lease_left(node.clock.shows(self.now)).is_zero()
        {
            return;
        }
        let (peer, twin) = side.twin.expect("a peer that introduced something has the session");
        let peer = &self.nodes[peer];
        let twin = &peer.links[twin].session;
        let is_closed_on_purpose = twin
            .closed()
            .is_some_and(|cause| !matches!(cause, Cause::Expired | Cause::Lost { .. }));
        if peer.condition == Condition::Dead || is_closed_on_purpose {
            return;
        }
        let counted = [twin.exports.count(way.entry), side.session.imports.count(way.entry)];
        assert!(
            counted[0] >= counted[1] && counted[1] > 0,
            "{:?} holds {truth:?}, counted {counted:?}, at {:?}",
            node.id,
            self.now
        );
        let shown = peer.table.get(&way.entry).expect("what is held is shown");
        let reached = match shown.receiver {
            // That the proxy itself reaches something is checked for its own node.
            Receiver::Far(proxy) => peer.proxies[&proxy].truth,
            Receiver::Near(object) => {
                assert!(peer.objects.contains_key(&object), "{object:?} is gone");
                Identity { node: peer.id, object }
            }
            Receiver::Directory => unreachable!("a directory is not shown"),
        };
        assert_eq!(reached, truth, "a reference leads to another object");
    }

    /// An object is shown for exactly the sessions that name it.
    fn check_table(&self, node: &Node) {
        let exports = |object: &ObjectId| {
            let counts = node.links.iter().map(|side| side.session.exports.count(*object));
            counts.filter(|count| *count > 0).count() as u64
        };
        for (object, shown) in &node.table {
            let expected = exports(object);
            assert_eq!(shown.count, expected, "{object:?} of {:?} is shown", node.id);
        }
    }
}
