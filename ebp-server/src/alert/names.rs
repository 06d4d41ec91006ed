//! Looking names of receivers up.

use std::{fmt, io, net::SocketAddr};

use async_trait::async_trait;

/// A name service.
#[async_trait]
pub trait Names: fmt::Debug + Send + Sync {
    /// The addresses of a host.
    ///
    /// # Errors
    /// Returns [`io::Error`] if it has none, or the service does not answer.
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}
