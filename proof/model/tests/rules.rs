//! Each rule is needed: without it a property is violated, and with it, in the same world, it is not.

use model::explore::find_violation;
use model::worlds::without;
use model::{Rule, World};

#[test]
fn leaving_out_any_rule_violates_a_property() {
    for rule in Rule::ALL {
        let (world, property) = without(rule);
        let found = find_violation(world, property, None);
        let found = found.unwrap_or_else(|| panic!("without {rule:?}, `{property}` still holds"));
        println!("without {rule:?}, `{property}` is violated by {found:?}");
        let kept = find_violation(World { without: None, ..world }, property, Some(found.len()));
        assert_eq!(kept, None, "`{property}` is violated with {rule:?}, too");
    }
}
