//! Errors of a configuration.

use std::{io, path::PathBuf};

use ebp_meter::port::PortName;
use uuid::Uuid;

/// Why a configuration cannot be used; every variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is not TOML, or a setting is unknown, missing or has an invalid value.
    #[error("{}:{line}: {reason}", path.display())]
    Wrong {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// It has no `[[meter]]`.
    #[error("{}: no meter is configured", .0.display())]
    NoMeter(PathBuf),
    /// Two meters have the same identifier.
    #[error("{}: meter {meter} is configured twice", path.display())]
    MeterTwice {
        /// Which file.
        path: PathBuf,
        /// The identifier.
        meter: Uuid,
    },
    /// A meter has presses to `InF`, but no PIN.
    #[error("{}: meter {meter}: inf_presses leads nowhere without pin_file", path.display())]
    InfWithoutPin {
        /// Which file.
        path: PathBuf,
        /// Which meter.
        meter: Uuid,
    },
    /// Two meters have the same port; each needs its own reading head.
    #[error("{}: two meters share the port {port}", path.display())]
    SharedPort {
        /// Which file.
        path: PathBuf,
        /// The port.
        port: PortName,
    },
}
