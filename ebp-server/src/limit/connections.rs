//! Limits the connections of one address.
//!
//! Enters: where a connection comes from. Leaves: a place, until it is dropped. Absent: the bound
//! on all connections, which is a matter of waiting (the listener's).

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use super::network;

/// Whether less than a quarter of the places is left, of all or of an address. A connection ends with its
/// answer then: to be kept is for quieter times.
#[must_use]
pub const fn are_scarce(left: usize, all: usize) -> bool {
    left.saturating_mul(4) < all
}

/// Counts the connections of each address. What it remembers is bounded by the connections.
pub struct Connections {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place; dropped, it is free again.
pub struct Place {
    of: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    /// With that many for each address at most; 0 is without bound.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// A place for a connection from that address, if there is one left.
    pub fn enter(self: &Arc<Self>, source: IpAddr) -> Option<Place> {
        let address = network(source);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if self.most != 0 && *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { of: self.clone(), address })
    }

    /// How many there are, of all addresses.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Place {
    /// Whether the address's places are scarce: many devices may share it. Without a bound they never are.
    #[must_use]
    pub fn is_scarce(&self) -> bool {
        let open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&self.address).copied().unwrap_or_default();
        are_scarce(self.of.most.saturating_sub(count), self.of.most)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = open.entry(self.address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_and_nothing_is_left_behind() {
        let connections = Connections::new(2);
        let enter = |text: &str| connections.enter(text.parse().unwrap());
        let first = enter("192.0.2.1");
        let second = enter("::ffff:192.0.2.1");
        assert!(first.is_some() && second.is_some());
        assert!(enter("192.0.2.1").is_none());
        let others = [enter("192.0.2.2"), enter("2001:db8::1"), enter("2001:db8::2:3:4:5")];
        assert!(others.iter().all(Option::is_some));
        assert!(enter("2001:db8::9").is_none(), "a network is one client");
        assert_eq!(connections.open(), 5);
        drop(first);
        assert!(enter("192.0.2.1").is_some());
        drop((second, others));
        assert!(connections.open.lock().unwrap().is_empty());
    }

    #[test]
    fn an_address_keeps_none_once_a_quarter_of_its_places_is_left() {
        let connections = Connections::new(8);
        let enter = |text: &str| connections.enter(text.parse().unwrap()).unwrap();
        let mut places: Vec<_> = (0..6).map(|_| enter("192.0.2.1")).collect();
        assert!(!places[0].is_scarce());
        places.push(enter("192.0.2.1"));
        assert!(places.iter().all(Place::is_scarce));
        assert!(!enter("192.0.2.2").is_scarce(), "another one has its own");
        places.pop();
        assert!(!places[0].is_scarce());
        assert!(!Connections::new(0).enter("192.0.2.1".parse().unwrap()).unwrap().is_scarce());
    }

    #[test]
    fn zero_is_no_bound() {
        let connections = Connections::new(0);
        let places: Vec<_> =
            (0..1000).map(|_| connections.enter("192.0.2.1".parse().unwrap())).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
