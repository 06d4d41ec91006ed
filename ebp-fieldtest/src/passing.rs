//! How time passes over the survey: from one thing that concerns all devices to the next (the server
//! is stopped or started, a participant decides), and between two of them device by device, on
//! several threads.
//!
//! Enters: devices, server, participants, how many threads. Leaves: the same at the end. Absent: what a
//! device does at an instant.

use std::{
    cmp::Reverse, collections::BinaryHeap, num::NonZeroUsize, sync::Arc, thread, time::Duration,
};

use anyhow::{Context, Result, anyhow};
use ebp_client::Client;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    device::Device,
    server::{Server, TrueClock},
    span::Spans,
    turn::{Seat, Turns},
};

/// How long everything goes on after the last slot that counts, so that it can arrive.
const REST: SignedDuration = SignedDuration::from_hours(3);

/// What participants do.
pub struct Participant {
    /// With their certificate.
    pub client: Client,
    /// When they grant consent.
    pub grants: Option<Timestamp>,
    /// When they revoke it.
    pub revokes: Option<Timestamp>,
}

/// Whose device it is, and which one to the server.
pub struct Holder {
    /// The participant.
    pub email: String,
    /// The device's identifier there.
    pub uuid: Uuid,
}

/// Who takes part.
pub struct People {
    /// The participants.
    pub participants: Vec<Participant>,
    /// The devices' holders, in the devices' order.
    pub holders: Vec<Holder>,
    /// How long a device's certificate is valid.
    pub lasting: Duration,
}

/// What time passes over.
pub struct Passing<'a> {
    /// The server's clock.
    pub clock: &'a Arc<TrueClock>,
    /// The server.
    pub server: &'a mut Server,
    /// When it does not run.
    pub down: &'a Spans,
    /// The devices.
    pub devices: &'a mut [Device],
    /// Who takes part.
    pub people: People,
    /// So many threads step the devices.
    pub threads: NonZeroUsize,
}

impl Passing<'_> {
    /// Lets time pass from one instant to another, and until what was measured has arrived. The server
    /// runs afterwards. Says how often something was done.
    ///
    /// # Errors
    /// Where something fails that no fault explains.
    pub fn pass(mut self, from: Timestamp, end: Timestamp) -> Result<u64> {
        let over = end + REST;
        let threads = self.threads.get().min(self.devices.len()).max(1);
        let turns = Turns::new(threads, self.clock.clone());
        let seats: Vec<_> = (0..threads).map(|number| Seat::new(turns.clone(), number)).collect();
        for (index, device) in self.devices.iter_mut().enumerate() {
            device.sit_at(seats[index % threads].clone());
        }
        let mut steps = 0;
        let mut now = from;
        while now < over {
            self.clock.set(now);
            steps += self.happens(now)?;
            let server = match self.down.at(now) {
                Some(span) => span.to,
                None => self.down.next(now).map_or(Timestamp::MAX, |span| span.from),
            };
            let due = self.people.participants.iter().flat_map(|p| [p.grants, p.revokes]).flatten();
            let next = due.chain([server, over]).min().unwrap_or(over).max(now);
            turns.begin(now);
            let around =
                Around { server: self.server, people: &self.people, url: self.server.url() };
            steps += step_all(self.devices, &seats, &around, next)?;
            now = next;
        }
        self.clock.set(over);
        if !self.server.is_running() {
            self.server.start()?;
        }
        Ok(steps)
    }

    /// What concerns all devices at that instant.
    fn happens(&mut self, now: Timestamp) -> Result<u64> {
        match (self.down.at(now).is_some(), self.server.is_running()) {
            (true, true) => self.server.stop()?,
            (false, false) => self.server.start()?,
            _ => {}
        }
        let mut done = 0;
        for participant in &mut self.people.participants {
            done += u64::from(participant.act(now, self.server.is_running())?);
        }
        Ok(done)
    }
}

impl Participant {
    /// Does what is due, or tries again in a minute when the server is down.
    fn act(&mut self, now: Timestamp, is_running: bool) -> Result<bool> {
        let again = now + SignedDuration::from_mins(1);
        for (at, revokes) in [(&mut self.grants, false), (&mut self.revokes, true)] {
            if at.is_none_or(|due| due > now) {
                continue;
            }
            if !is_running {
                *at = Some(again);
                continue;
            }
            *at = None;
            if revokes {
                self.client.revoke_consent()?
            } else {
                self.client.grant_consent()?
            };
            return Ok(true);
        }
        Ok(false)
    }
}

/// What devices have around them.
struct Around<'a> {
    server: &'a Server,
    people: &'a People,
    url: String,
}

/// Steps all devices up to that instant, which is not part of it; each thread has every so many of
/// them. Says how many steps there were.
fn step_all(
    devices: &mut [Device],
    seats: &[Seat],
    around: &Around<'_>,
    to: Timestamp,
) -> Result<u64> {
    let mut lots: Vec<Vec<_>> = seats.iter().map(|_| Vec::new()).collect();
    for (index, device) in devices.iter_mut().enumerate() {
        lots[index % seats.len()].push((index, device));
    }
    if let [seat] = seats {
        return lots.iter_mut().map(|lot| step_lot(lot, seat, around, to)).sum();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = lots
            .into_iter()
            .zip(seats)
            .map(|(mut lot, seat)| scope.spawn(move || step_lot(&mut lot, seat, around, to)))
            .collect();
        let ended = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(anyhow!("a thread that steps devices panicked")))
        };
        // All of them are waited for before the first failure counts.
        let steps: Vec<Result<u64>> = threads.into_iter().map(ended).collect();
        steps.into_iter().sum()
    })
}

/// Steps a thread's devices, the earliest first.
fn step_lot(
    lot: &mut [(usize, &mut Device)],
    seat: &Seat,
    around: &Around<'_>,
    to: Timestamp,
) -> Result<u64> {
    let _leaves = Leaves(seat);
    let due = |(place, (index, device)): (usize, &(usize, &mut Device))| {
        Reverse((device.next(), *index, place))
    };
    let mut all: BinaryHeap<_> = lot.iter().enumerate().map(due).collect();
    let mut steps = 0;
    while let Some(mut earliest) = all.peek_mut().filter(|first| first.0.0 < to) {
        let Reverse((now, index, place)) = *earliest;
        let device = &mut *lot[place].1;
        seat.move_to(now, index);
        if device.wants_certificate(now) {
            seat.wait();
            let Holder { email, uuid } = &around.people.holders[index];
            around.server.issue(&device.files, email, Some(*uuid), around.people.lasting)?;
            device.is_enrolled(now)?;
        }
        if device.next() <= now {
            steps += 1;
            device.live(now, &around.url).with_context(|| format!("device {index} at {now}"))?;
        }
        // None goes back in time, however late it says what it has to do.
        *earliest = Reverse((device.next().max(now), index, place));
    }
    Ok(steps)
}

/// A thread that ends, however, lets the others go on.
struct Leaves<'a>(&'a Seat);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
