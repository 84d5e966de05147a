//! A course in remote-core: one small program for each step, in the folder `examples`.
