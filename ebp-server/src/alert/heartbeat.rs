//! The watchdog outside: an address that is called as long as devices are watched and messages go
//! out, so that somebody learns when that stops.

use super::{
    AlertError, SecretUrl,
    target::{Reach, Target, describe},
};

/// Calls the watchdog.
pub struct Heartbeat(Target);

impl Heartbeat {
    /// At that address.
    ///
    /// # Errors
    /// [`AlertError`] if it cannot be used.
    pub fn open(url: &SecretUrl, reach: &Reach) -> Result<Self, AlertError> {
        Target::new("heartbeat", url, reach).map(Self)
    }

    /// Calls it once.
    ///
    /// # Errors
    /// Why that failed, without names and addresses.
    pub async fn call(&self) -> Result<(), String> {
        let client = self.0.client().await?;
        let response = client.get(self.0.url().clone()).send().await.map_err(describe)?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(format!("the answer is {}", response.status().as_u16())),
        }
    }
}
