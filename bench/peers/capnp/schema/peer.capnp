# What the server shows its clients. `capnp id` made the number.
@0x8611cc56fca89f8d;

# What there is one of on a server.
interface Root {
  # Returns the counter that all connections share.
  counter @0 () -> (counter :Counter);
  # Returns a fresh counter, which starts at 0.
  make @1 () -> (counter :Counter);
  echo @2 (bytes :Data) -> (bytes :Data);
  # Returns the first node of a chain.
  node @3 () -> (node :Node);
}

interface Counter {
  # Adds, and returns the sum.
  add @0 (amount :UInt64) -> (sum :UInt64);
}

interface Node {
  # Returns a node whose value is one more.
  next @0 () -> (node :Node);
  value @1 () -> (value :UInt64);
}
