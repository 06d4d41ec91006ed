//! Turns that are waited for, of which no client has more than a quarter.
//!
//! Enters: a client. Leaves: its [`Turn`], once it comes; it goes where the work goes. Of each client
//! only so many wait for everybody's turns as it may have: the others wait behind them, and not before
//! other clients.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ClientId;

/// One client's part of all turns.
const PART: usize = 4;

/// So many turns at the same time.
pub struct Turns {
    most: usize,
    all: Arc<Semaphore>,
    clients: Mutex<HashMap<ClientId, Waiting>>,
}

/// A client's own turns, and for how many they are kept.
struct Waiting {
    own: Arc<Semaphore>,
    count: usize,
}

/// A turn. It ends when this is dropped.
pub struct Turn {
    _all: Option<OwnedSemaphorePermit>,
    _own: Option<OwnedSemaphorePermit>,
    _place: Place,
}

/// That a client is known here.
struct Place {
    of: Arc<Turns>,
    client: ClientId,
}

impl Turns {
    /// With so many in all.
    #[must_use]
    pub fn new(all: usize) -> Arc<Self> {
        let all = all.max(1);
        Arc::new(Self {
            most: (all / PART).max(1),
            all: Arc::new(Semaphore::new(all)),
            clients: Mutex::default(),
        })
    }

    /// Waits for a turn.
    pub async fn enter(self: &Arc<Self>, client: ClientId) -> Turn {
        let (place, own) = self.arrive(client);
        // They are never closed.
        let own = own.acquire_owned().await.ok();
        let all = self.all.clone().acquire_owned().await.ok();
        Turn { _all: all, _own: own, _place: place }
    }

    fn arrive(self: &Arc<Self>, client: ClientId) -> (Place, Arc<Semaphore>) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Waiting { own: Arc::new(Semaphore::new(self.most)), count: 0 };
        let waiting = clients.entry(client).or_insert_with(fresh);
        waiting.count += 1;
        (Place { of: self.clone(), client }, waiting.own.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut clients = self.of.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = clients.entry(self.client) {
            entry.get_mut().count -= 1;
            if entry.get().count == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_crowd_of_one_client_does_not_stand_before_others() {
        let turns = Turns::new(4);
        let first = turns.enter(ClientId(1)).await;
        let crowd: Vec<_> = (0..20)
            .map(|_| {
                let turns = turns.clone();
                tokio::spawn(async move { turns.enter(ClientId(1)).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let mut others = Vec::new();
        for other in 2..5 {
            others
                .push(timeout(Duration::from_secs(5), turns.enter(ClientId(other))).await.unwrap());
        }
        assert!(timeout(Duration::from_millis(20), turns.enter(ClientId(9))).await.is_err());
        drop((first, others));
        for one in crowd {
            drop(timeout(Duration::from_secs(5), one).await.unwrap().unwrap());
        }
        assert!(turns.clients.lock().unwrap().is_empty());
        assert_eq!(turns.all.available_permits(), 4);
    }
}
