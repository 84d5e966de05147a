//! The check of reachability, after every step, for every holder: a live holder with a valid lease reaches its object, and
//! no other. Also the sums of the tables.
//!
//! It must not change anything, nor use the holder's own counts: it follows the path that a call would take.

use super::node::{Condition, Node, Path, Receiver};
use super::world::World;
use crate::id::{Identity, ObjectId};
use crate::session::event::Cause;

impl World {
    pub(super) fn check(&self) {
        for node in self.nodes.iter().filter(|node| node.condition != Condition::Dead) {
            for proxy in node.proxies.values() {
                self.check_path(node, proxy.path, proxy.truth);
                proxy.next.into_iter().for_each(|next| self.check_path(node, next, proxy.truth));
            }
            self.check_table(node);
        }
    }

    fn check_path(&self, node: &Node, path: Path, truth: Identity) {
        let path = match path {
            Path::Forwarded(import) => import,
            Path::Near(object) => {
                assert!(node.objects.contains_key(&object), "{object:?} does not exist");
                return assert_eq!(
                    Identity { node: node.id, object },
                    truth,
                    "it is another object"
                );
            }
        };
        let side = &node.links[path.link];
        if side.session.closed().is_some()
            || side.session.lease_left(node.clock.shows(self.now)).is_zero()
        {
            return;
        }
        let (peer, twin) = side.twin.expect("the peer has the session of an introduction");
        let peer = &self.nodes[peer];
        let twin = &peer.links[twin].session;
        let is_closed_on_purpose = twin
            .closed()
            .is_some_and(|cause| !matches!(cause, Cause::Expired | Cause::Lost { .. }));
        if peer.condition == Condition::Dead || is_closed_on_purpose {
            return;
        }
        let counted = [twin.exports.count(path.entry), side.session.imports.count(path.entry)];
        assert!(
            counted[0] >= counted[1] && counted[1] > 0,
            "{:?} holds {truth:?}, counted {counted:?}, at {:?}",
            node.id,
            self.now
        );
        let exported = peer.table.get(&path.entry).expect("a held object is exported");
        let reached = match exported.receiver {
            // The path of the proxy itself is checked for its own node.
            Receiver::Far(proxy) => peer.proxies[&proxy].truth,
            Receiver::Near(object) => {
                assert!(peer.objects.contains_key(&object), "{object:?} does not exist");
                Identity { node: peer.id, object }
            }
            Receiver::Directory => unreachable!("a directory is not in the table"),
        };
        assert_eq!(reached, truth, "a reference leads to another object");
    }

    /// Asserts that an object is counted once for each session and gift that exports it.
    fn check_table(&self, node: &Node) {
        let exports = |object: &ObjectId| {
            let counts = node.links.iter().map(|side| side.session.exports.count(*object));
            counts.filter(|count| *count > 0).count() as u64
        };
        for (object, exported) in &node.table {
            let expected = exports(object);
            assert_eq!(exported.count, expected, "{object:?} of {:?} is exported", node.id);
        }
    }
}
