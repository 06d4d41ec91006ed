//! Errors of outputs.

use std::{io, path::PathBuf};

use ebp_core::private_file::PrivateFileError;

use crate::output::Output;

/// Why an output does not work. None of them shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// It is configured, and this program was built without it.
    #[error("this program was built without the output `{0}`")]
    NotBuilt(Output),
    /// The file of a password or token cannot be used.
    #[error("{}: {source}", path.display())]
    Secret {
        /// Which.
        path: PathBuf,
        /// Why.
        source: PrivateFileError,
    },
    /// The authority's file cannot be used.
    #[error("{}: {reason}", path.display())]
    Authority {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The other end does not accept user or password.
    #[error("{at} does not accept user or password")]
    Refused {
        /// Host and port.
        at: String,
    },
    /// The other end cannot be reached.
    #[error("{at} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        at: String,
        /// Why.
        reason: String,
    },
    /// The other end does not take what is sent.
    #[error("{at} answers {status}: {reason}")]
    Rejected {
        /// Host and port.
        at: String,
        /// The status.
        status: u16,
        /// The beginning of what it says.
        reason: String,
    },
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    StandardOutput(io::Error),
    /// The address cannot be listened at.
    #[error("{at}: {source}")]
    Listen {
        /// The address.
        at: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The output's thread cannot be started.
    #[error("no thread for the output `{0}`: {1}")]
    Thread(Output, io::Error),
}
