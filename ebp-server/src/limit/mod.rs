//! Limits what one client may use of this process.
//!
//! Enters: who asks, as far as it is proven. Leaves: whether they may now. Absent: any state that
//! other servers share: this protects the process. Guesses at secrets, which are counted for all
//! servers together, are `auth::secret`'s.
//!
//! A client is the device that a certificate names, the certificate itself where it names none, the
//! subject of a token, a group with a secret; and for all who prove nothing, their address. Those
//! with credentials have separate buckets: other clients at the same address do not empty them.

mod bucket;
mod client;
mod connections;
mod shares;
mod turns;

use std::{
    hash::{BuildHasher, RandomState},
    time::Instant,
};

pub use bucket::{Buckets, Rate};
pub(crate) use client::network;
pub use client::{Client, ClientId};
pub use connections::{Connections, Place, are_scarce};
pub use shares::{Full, Share, Shares};
pub use turns::{Turn, Turns};

use crate::problem::ApiError;

/// Bounds the requests of each client.
pub struct Requests {
    buckets: Option<[Buckets; 2]>,
    start: Instant,
    /// Of this process: clients cannot choose names that share a bucket, and none is kept.
    numbers: RandomState,
}

impl Requests {
    /// With that rate for each client, or without bound.
    #[must_use]
    pub fn new(rate: Option<Rate>) -> Self {
        let buckets = rate.map(|rate| [Buckets::new(rate), Buckets::new(rate)]);
        Self { buckets, start: Instant::now(), numbers: RandomState::new() }
    }

    /// The client's number; that of an address is its network's.
    #[must_use]
    pub fn id(&self, client: Client<'_>) -> ClientId {
        ClientId(self.numbers.hash_one(match client {
            Client::Address(address) => Client::Address(network(address)),
            client => client,
        }))
    }

    /// Counts a request, and returns whose it is.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] with the seconds to wait, if there were too many.
    pub fn admit(&self, client: Client<'_>) -> Result<ClientId, ApiError> {
        let id = self.id(client);
        let Some([proven, others]) = &self.buckets else { return Ok(id) };
        let buckets = if matches!(client, Client::Address(_)) { others } else { proven };
        buckets.take(id.0, self.start.elapsed()).map(|()| id).map_err(|wait| {
            ApiError::TooManyRequests(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
        })
    }
}

#[cfg(test)]
mod tests {
    use ebp_core::scope::Group;
    use ebp_store::Serial;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn strangers_do_not_take_from_those_who_prove_who_they_are() {
        let requests = Requests::new(Some(Rate { per_second: 1, burst: 2 }));
        let stranger = Client::Address("2001:db8::1".parse().unwrap());
        let neighbour = Client::Address("2001:db8::2".parse().unwrap());
        assert!(requests.admit(stranger).is_ok() && requests.admit(neighbour).is_ok());
        assert!(matches!(requests.admit(stranger), Err(ApiError::TooManyRequests(1))));
        let email = "erika@example.org";
        for client in [
            Client::Device(Uuid::nil()),
            Client::Certificate(Serial::random()),
            Client::Token { email, device: None },
            Client::Token { email, device: Some(Uuid::nil()) },
            Client::Group(Group::Researchers),
            Client::Group(Group::Administrators),
        ] {
            assert!(requests.admit(client).is_ok() && requests.admit(client).is_ok());
            assert!(requests.admit(client).is_err());
        }
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let requests = Requests::new(None);
        let device = Client::Device(Uuid::nil());
        assert!((0..1000).all(|_| requests.admit(device).is_ok()));
    }
}
