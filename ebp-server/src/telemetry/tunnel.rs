//! What is counted of tunnels.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::gauge::OutcomeLabels;
use crate::problem::{ApiError, TunnelError};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabels {
    direction: &'static str,
}

/// Tunnels of this process, and the sessions that came in at it.
#[derive(Debug, Clone)]
pub struct TunnelMetrics {
    /// Tunnels that are held.
    pub open: Gauge,
    /// Tunnels that were refused since two processes use a device's certificate.
    pub conflicts: Counter,
    /// Sessions that are open.
    pub sessions: Gauge,
    connects: Family<OutcomeLabels, Counter>,
    bytes: Family<DirectionLabels, Counter>,
}

/// How it can end that an administrator asks for a session.
const OUTCOMES: [&str; 6] =
    ["begun", "not-connected", "silent", "switched-off", "refused", "failed"];

/// Whither bytes are carried.
const DIRECTIONS: [&str; 2] = ["to-device", "from-device"];

impl TunnelMetrics {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            open: Gauge::default(),
            conflicts: Counter::default(),
            sessions: Gauge::default(),
            connects: Family::default(),
            bytes: Family::default(),
        };
        // An increase is seen only from a first value on.
        for outcome in OUTCOMES {
            drop(metrics.connects.get_or_create(&OutcomeLabels { outcome }));
        }
        for direction in DIRECTIONS {
            drop(metrics.bytes.get_or_create(&DirectionLabels { direction }));
        }
        registry.register("tunnels", "Tunnels of devices that are open", metrics.open.clone());
        registry.register(
            "tunnel_conflicts",
            "Tunnels refused since two processes use the certificate of one device",
            metrics.conflicts.clone(),
        );
        let about = "Sessions of administrators with devices that are open";
        registry.register("tunnel_sessions", about, metrics.sessions.clone());
        let about = "How it ended that an administrator asked for a session with a device";
        registry.register("tunnel_connects", about, metrics.connects.clone());
        let about = "Bytes that sessions carried, without what encrypts them";
        registry.register("tunnel_bytes", about, metrics.bytes.clone());
        metrics
    }

    /// Counts that an administrator asked for a session.
    pub fn asked(&self, answer: Result<(), &ApiError>) {
        let outcome = match answer {
            Ok(()) => "begun",
            Err(ApiError::Tunnel(error)) => match error {
                TunnelError::NotConnected(_) => "not-connected",
                TunnelError::Silent => "silent",
                TunnelError::SwitchedOff => "switched-off",
                TunnelError::NoService | TunnelError::Refused(_) => "refused",
                TunnelError::Conflict | TunnelError::Full | TunnelError::Closing => "failed",
            },
            Err(ApiError::Group | ApiError::NotFound) => "refused",
            Err(_) => "failed",
        };
        self.connects.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts bytes that a session has carried: to the device, and from it.
    pub fn carried(&self, bytes: [u64; 2]) {
        for (direction, bytes) in DIRECTIONS.into_iter().zip(bytes) {
            self.bytes.get_or_create(&DirectionLabels { direction }).inc_by(bytes);
        }
    }
}
