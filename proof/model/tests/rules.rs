//! Every rule is needed: without it something is not true any more. And with it, in the same world, it is.

use model::explore::break_by;
use model::worlds::without;
use model::{Rule, World};

#[test]
fn the_lack_of_each_rule_is_caught() {
    for rule in Rule::ALL {
        let (world, property) = without(rule);
        let found = break_by(world, property, None);
        let found = found.unwrap_or_else(|| panic!("without {rule:?}, `{property}` still holds"));
        println!("without {rule:?}, `{property}` is broken by {found:?}");
        let kept = break_by(World { without: None, ..world }, property, Some(found.len()));
        assert_eq!(kept, None, "`{property}` is broken with {rule:?} too");
    }
}
