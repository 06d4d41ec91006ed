//! What is counted of tunnels.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// Tunnels of this process.
#[derive(Debug, Clone)]
pub struct TunnelMetrics {
    /// Tunnels that are held.
    pub open: Gauge,
    /// Tunnels that were refused since two processes use a device's certificate.
    pub conflicts: Counter,
    /// Sessions that began.
    pub sessions: Counter,
}

impl TunnelMetrics {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let (open, conflicts, sessions) =
            (Gauge::default(), Counter::default(), Counter::default());
        registry.register("tunnels", "Tunnels of devices that are open", open.clone());
        registry.register(
            "tunnel_conflicts",
            "Tunnels refused since two processes use the certificate of one device",
            conflicts.clone(),
        );
        let about = "Sessions of administrators with devices that began";
        registry.register("tunnel_sessions", about, sessions.clone());
        Self { open, conflicts, sessions }
    }
}
