//! The configuration of connections.

use remoc::Cfg;

/// Returns the default configuration, with room for the objects and the large messages of the workloads.
pub(crate) fn configuration() -> Cfg {
    Cfg {
        // Each object and each call in progress uses one port.
        max_ports: 1 << 20,
        // Larger messages are encoded and decoded by a thread each.
        max_data_size: 16 << 20,
        ..Cfg::default()
    }
}
