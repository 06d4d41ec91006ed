//! Places that are taken at once or not at all, of which no client has more than a quarter.
//!
//! Enters: a client, how many places. Leaves: a [`Share`], which goes where the work goes and frees
//! its places when that ends. Absent: any waiting.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::ClientId;

/// One client's part of all places.
const PART: usize = 4;

/// So many places, of which a client has a quarter at most.
pub struct Shares {
    most: usize,
    state: Mutex<State>,
}

struct State {
    left: usize,
    /// Of those who hold any.
    held: HashMap<ClientId, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The client holds its quarter.
    Client,
    /// All are taken.
    All,
}

/// Places that a client holds; dropped, they are free again.
pub struct Share {
    of: Arc<Shares>,
    client: ClientId,
    count: usize,
}

impl Shares {
    /// With so many in all.
    #[must_use]
    pub fn new(all: usize) -> Arc<Self> {
        Self::with_least(all, 1)
    }

    /// The same, where a client may have `least`, however few there are in all.
    #[must_use]
    pub fn with_least(all: usize, least: usize) -> Arc<Self> {
        let state = State { left: all.max(1), held: HashMap::new() };
        Arc::new(Self { most: (all / PART).max(least).max(1), state: state.into() })
    }

    /// How many a client may have.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many are free.
    #[must_use]
    pub fn left(&self) -> usize {
        self.state().left
    }

    /// Takes so many for the client.
    ///
    /// # Errors
    /// [`Full`]; nothing is taken then.
    pub fn take(self: &Arc<Self>, client: ClientId, count: usize) -> Result<Share, Full> {
        let mut share = Share { of: self.clone(), client, count: 0 };
        share.grow_to(count)?;
        Ok(share)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes so many more that there are `count`.
    ///
    /// # Errors
    /// [`Full`]; those that it has stay.
    pub fn grow_to(&mut self, count: usize) -> Result<(), Full> {
        let more = count.saturating_sub(self.count);
        if more == 0 {
            return Ok(());
        }
        let mut state = self.of.state();
        let held = state.held.get(&self.client).copied().unwrap_or(0);
        if held + more > self.of.most {
            return Err(Full::Client);
        }
        state.left = state.left.checked_sub(more).ok_or(Full::All)?;
        state.held.insert(self.client, held + more);
        self.count = count;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut state = self.of.state();
        state.left += self.count;
        if let Entry::Occupied(mut held) = state.held.entry(self.client) {
            *held.get_mut() = held.get().saturating_sub(self.count);
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ClientId = ClientId(1);
    const B: ClientId = ClientId(2);

    #[test]
    fn nobody_has_more_than_a_quarter_and_nothing_is_left_behind() {
        let shares = Shares::new(16);
        let first = shares.take(A, 3).unwrap();
        let mut second = shares.take(A, 1).unwrap();
        assert_eq!(shares.take(A, 1).err(), Some(Full::Client));
        assert_eq!(second.grow_to(2), Err(Full::Client));
        assert_eq!(shares.left(), 12);
        drop(first);
        assert_eq!(second.grow_to(4), Ok(()));
        assert_eq!(second.grow_to(2), Ok(()), "it has them already");
        assert_eq!(shares.left(), 12);
        let others: Vec<_> = (2..5).map(|i| shares.take(ClientId(i), 4).unwrap()).collect();
        assert_eq!(shares.take(ClientId(9), 1).err(), Some(Full::All));
        drop((second, others));
        assert_eq!(shares.left(), 16);
        assert!(shares.state().held.is_empty());
    }

    #[test]
    fn where_there_are_few_one_may_still_have_one() {
        let shares = Shares::new(1);
        let one = shares.take(A, 1).unwrap();
        assert_eq!(shares.take(B, 1).err(), Some(Full::All));
        drop(one);
        assert!(shares.take(B, 1).is_ok());
        assert_eq!(Shares::with_least(8, 8).most(), 8);
    }
}
