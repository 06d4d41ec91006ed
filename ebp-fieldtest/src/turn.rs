//! Whose turn it is to speak with the server, where several threads step devices.
//!
//! Enters: the instant and the device that each thread is at. Leaves: requests one after the other, in
//! the order of their instants (of the devices' numbers at the same instant), each by the server's
//! clock of then. Absent: what devices do by themselves, which needs no order.
//!
//! Devices meet at the server alone. So a thread may step its devices ahead of the others, until one
//! of them asks the server: then it waits until no other thread is at an earlier instant. What comes
//! of it is the same for any number of threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::server::TrueClock;

/// Where a thread is: no request of it comes from before that.
type Place = (Timestamp, usize);

/// Behind everything.
const OVER: Place = (Timestamp::MAX, usize::MAX);

/// The order of the threads' requests.
pub struct Turns {
    clock: Arc<TrueClock>,
    state: Mutex<State>,
    moved: Condvar,
}

struct State {
    places: Vec<Place>,
    waiting: usize,
}

impl Turns {
    /// Of so many threads, at a server with that clock.
    #[must_use]
    pub fn new(threads: usize, clock: Arc<TrueClock>) -> Arc<Self> {
        let state = State { places: vec![OVER; threads], waiting: 0 };
        Arc::new(Self { clock, state: Mutex::new(state), moved: Condvar::new() })
    }

    /// All threads begin at that instant.
    pub fn begin(&self, at: Timestamp) {
        self.state().places.fill((at, 0));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread among them.
#[derive(Clone)]
pub struct Seat {
    turns: Arc<Turns>,
    thread: usize,
}

impl Seat {
    /// That of the thread with that number.
    #[must_use]
    pub const fn new(turns: Arc<Turns>, thread: usize) -> Self {
        Self { turns, thread }
    }

    /// The thread steps that device at that instant from now on.
    pub fn move_to(&self, at: Timestamp, device: usize) {
        self.go((at, device));
    }

    /// The thread asks for nothing any more.
    pub fn leave(&self) {
        self.go(OVER);
    }

    /// Waits until no other thread is at an earlier place, and sets the server's clock. Until the
    /// thread moves on, no later one gets its turn.
    pub fn wait(&self) {
        let mut state = self.turns.state();
        let own = state.places[self.thread];
        while state.places.iter().any(|other| *other < own) {
            state.waiting += 1;
            state = self.turns.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        self.turns.clock.set(own.0);
    }

    fn go(&self, to: Place) {
        let mut state = self.turns.state();
        state.places[self.thread] = to;
        let is_waited_for = state.waiting > 0;
        drop(state);
        if is_waited_for {
            self.turns.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use ebp_core::clock::Clock;

    use super::*;

    #[test]
    fn requests_come_in_order_whichever_thread_is_faster() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let clock = TrueClock::new(at(0));
        let turns = Turns::new(3, clock.clone());
        turns.begin(at(0));
        let served = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for thread in 0..3 {
                let (seat, served, clock) = (Seat::new(turns.clone(), thread), &served, &clock);
                scope.spawn(move || {
                    for step in 0..200 {
                        let second = i64::try_from(step * (thread + 1)).unwrap();
                        seat.move_to(at(second), thread);
                        if step % 3 == 0 {
                            seat.wait();
                            assert_eq!(clock.now(), at(second));
                            served.lock().unwrap().push((second, thread));
                        }
                    }
                    seat.leave();
                });
            }
        });
        let served = served.into_inner().unwrap();
        assert_eq!(served.len(), 3 * 67);
        assert!(served.is_sorted(), "{served:?}");
    }
}
