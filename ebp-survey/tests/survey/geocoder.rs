//! A geocoder that counts what it is asked, and remembers answers until it is to forget them.

use std::{
    collections::HashMap,
    sync::{Mutex, mpsc},
    time::Duration,
};

use ebp_core::model::{Address, Location};
use ebp_survey::geocoding::{Geocode, Located};

/// Finds every address, each somewhere else.
#[derive(Default)]
pub struct CountingGeocoder {
    known: Mutex<Known>,
    /// Held back, an answer waits until the other end is dropped.
    hold: Mutex<Option<mpsc::Receiver<()>>>,
}

#[derive(Default)]
struct Known {
    asked: u32,
    ended: Option<u64>,
    answers: HashMap<String, Location>,
}

impl CountingGeocoder {
    /// How many addresses were looked up that it did not remember.
    pub fn asked(&self) -> u32 {
        self.known.lock().unwrap().asked
    }

    /// The streets that it remembers, in the order of the alphabet.
    pub fn streets(&self) -> Vec<String> {
        let known = self.known.lock().unwrap();
        let mut streets: Vec<String> = known.answers.keys().cloned().collect();
        streets.sort();
        streets
    }

    /// Holds the next answer back until what is returned is dropped.
    pub fn hold(&self) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel();
        *self.hold.lock().unwrap() = Some(held);
        release
    }
}

impl Geocode for CountingGeocoder {
    fn locate(&self, address: &Address, _: Duration) -> Located {
        let mut known = self.known.lock().unwrap();
        if !known.answers.contains_key(&address.street) {
            known.asked += 1;
            let location = Location::entered(50.0 + f64::from(known.asked), 8.0);
            known.answers.insert(address.street.clone(), location);
        }
        let location = known.answers.get(&address.street).cloned();
        drop(known);
        let held = self.hold.lock().unwrap().take();
        if let Some(held) = held {
            let _ = held.recv();
        }
        Located { location, trouble: None }
    }

    fn forget(&self, address: &Address) {
        self.known.lock().unwrap().answers.remove(&address.street);
    }

    fn forget_all(&self) {
        self.known.lock().unwrap().answers.clear();
    }

    fn ended(&self) -> Option<u64> {
        self.known.lock().unwrap().ended
    }

    fn note_ended(&self, count: u64) {
        self.known.lock().unwrap().ended = Some(count);
    }
}
