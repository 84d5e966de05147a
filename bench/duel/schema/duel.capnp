# What the owner shows its holders. `capnp id` made the number.
@0xe35c27bb3a74e64b;

# Makes the objects that are held.
interface Maker {
  make @0 () -> (item :Item);
}

# An object that is held: its answer says which one it is, of which life of its owner.
interface Item {
  name @0 () -> (name :Text);
}
