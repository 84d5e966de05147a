//! Small programs that teach remote-core, one step each; see the folder `examples`.
