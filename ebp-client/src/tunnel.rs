//! The requests of persons with a certificate for remote access.

use ebp_core::contract::{Listing, Tunnel, TunnelSession, paths};
use reqwest::Method;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{Client, ClientError};

impl Client {
    /// Every device that has or had a tunnel.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn tunnels(&self) -> Result<Vec<Tunnel>, ClientError> {
        self.all_pages(paths::MANAGEMENT_TUNNEL)
    }

    /// Every session that is recorded, oldest first.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn tunnel_sessions(&self) -> Result<Vec<TunnelSession>, ClientError> {
        self.all_pages(paths::TUNNEL_SESSION)
    }

    /// Ends a session, at whichever server it is carried. Returns it as it is then.
    ///
    /// # Errors
    /// Returns [`ClientError`] if the server cannot be reached or answers with a problem.
    pub fn end_tunnel_session(&self, session: Uuid) -> Result<TunnelSession, ClientError> {
        let path = paths::MANAGED_TUNNEL_SESSION.replace("{uuid}", &session.to_string());
        self.send(Method::DELETE, &path)
    }

    fn all_pages<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ClientError> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let page: Listing<T> = match &next {
                // A cursor has characters alone that a query may have.
                Some(cursor) => self.get(&format!("{path}?cursor={cursor}"))?,
                None => self.get(path)?,
            };
            all.extend(page.items);
            match page.next {
                Some(further) if Some(&further) != next.as_ref() => next = Some(further),
                _ => return Ok(all),
            }
        }
    }
}
