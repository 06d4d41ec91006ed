//! Devices in simulated time: each reports and asks once an hour, and behaves in its way with a
//! version.

use ebp_core::contract::{
    DeviceUpdate, ReportedUpdate, RevertedUpdate, Rollout, RolloutAction, RolloutDeviceState,
    RolloutState, UpdatePhase,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::{
    RolloutFacts, RolloutOffer, RolloutWrite, judge_device, judge_rollout, place_of_device,
    steer_rollout, wish_of_device,
};

pub const VERSION: &str = "1.4.2";
const BEFORE: &str = "1.4.1";
/// Between two looks.
const TICK: SignedDuration = SignedDuration::from_mins(10);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long a trial takes.
const TRIAL: SignedDuration = SignedDuration::from_mins(40);

/// What a device does with the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    Good,
    Reverts,
    Silent,
    SaysSo,
    Leaves,
    NeverTries,
    Off,
}

#[derive(Debug, Clone)]
pub struct Device {
    pub behaviour: Behaviour,
    begun: Option<Timestamp>,
    /// Of the six looks of an hour the one before which it reports and asks.
    turn: i64,
}

pub struct Fleet {
    pub rollout: Rollout,
    pub devices: Vec<Device>,
    pub facts: Vec<RolloutFacts>,
    pub now: Timestamp,
    seed: u64,
}

impl Fleet {
    /// One whose first device is named to go first.
    pub fn new(seed: u64, count: u128) -> Self {
        let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let facts = |i| RolloutFacts {
            device: Uuid::from_u128(u128::from(seed) << 32 | i),
            is_first: i == 0,
            last_report: Some(now),
            running: Some(BEFORE.to_owned()),
            update: None,
            offer: None,
        };
        let facts: Vec<_> = (0..count).map(facts).collect();
        let turn = |facts: &RolloutFacts| place_of_device(facts.device, "turn") % 6;
        let device = |facts: &RolloutFacts| Device {
            behaviour: Behaviour::Good,
            begun: None,
            turn: turn(facts).try_into().unwrap(),
        };
        let devices = facts.iter().map(device).collect();
        let rollout = Rollout {
            uuid: Uuid::from_u128(1),
            version: VERSION.to_owned(),
            steps: vec![0, 5, 25, 100],
            soak: 86_400,
            state: RolloutState::Running,
            halt: None,
            step: 0,
            step_since: now,
            revision: 1,
            created_at: now,
        };
        Self { rollout, devices, facts, now, seed }
    }

    /// So many devices behave like that, the first one not among them.
    pub fn spoil(&mut self, count: usize, behaviour: Behaviour) {
        let seed = self.seed.to_string();
        let good =
            |i: &usize| self.devices[*i].behaviour == Behaviour::Good && !self.facts[*i].is_first;
        let mut devices: Vec<_> = (0..self.devices.len()).filter(good).collect();
        devices.sort_by_cached_key(|i| place_of_device(self.facts[*i].device, &seed));
        for i in devices.into_iter().take(count) {
            self.devices[i].behaviour = behaviour;
            if behaviour == Behaviour::Off {
                self.facts[i].last_report = None;
            }
        }
    }

    /// Lives on until that time has passed, or that is so.
    pub fn run_until(&mut self, time: SignedDuration, mut is_over: impl FnMut(&mut Self) -> bool) {
        let end = self.now + time;
        while self.now < end && !is_over(self) {
            self.now += TICK;
            for i in 0..self.devices.len() {
                self.live(i);
            }
            let write = judge_rollout(&self.rollout, &self.facts, self.now);
            self.store(write);
        }
    }

    pub fn steer(&mut self, action: RolloutAction) {
        let write = steer_rollout(&self.rollout, &self.facts, action, self.now).unwrap();
        self.store(write);
    }

    /// As a store does.
    fn store(&mut self, write: RolloutWrite) {
        let (now, step) = (self.now, self.rollout.step);
        for facts in &mut self.facts {
            if let Some((_, was_regular)) = write.offer.iter().find(|(d, _)| *d == facts.device) {
                facts.offer = Some(RolloutOffer {
                    step,
                    offered_at: now,
                    was_regular: *was_regular,
                    taken_at: None,
                    over_at: None,
                    set_aside: false,
                    excused: false,
                });
            }
            let Some(offer) = &mut facts.offer else { continue };
            if write.over.contains(&facts.device) {
                offer.over_at = Some(now);
            }
            offer.set_aside |= write.set_aside.contains(&facts.device);
            offer.excused |= write.excuse.contains(&facts.device);
            if write.readmit && offer.set_aside {
                facts.offer = None;
            }
        }
        if let Some(place) = write.place {
            self.rollout.state = place.state;
            self.rollout.halt = place.halt;
            self.rollout.step = place.step;
            self.rollout.step_since = place.step_since;
            self.rollout.revision += 1;
        }
    }

    fn live(&mut self, i: usize) {
        let (now, rollout) = (self.now, &self.rollout);
        let Device { behaviour, begun, turn } = &mut self.devices[i];
        let facts = &mut self.facts[i];
        let has_turn = now.as_second() / 600 % 6 == *turn;
        let is_dead = *behaviour == Behaviour::Silent && begun.is_some();
        if *behaviour == Behaviour::Off || is_dead {
            return;
        }
        let mut said = DeviceUpdate { kept: facts.running.clone(), ..DeviceUpdate::default() };
        if let Some(reported) = &facts.update {
            said = reported.update.clone();
        }
        let mut is_news = false;
        match *begun {
            // The trial is over.
            Some(since) if now.duration_since(since) >= TRIAL => {
                let reason = "it was restarted 3 times".to_owned();
                match *behaviour {
                    Behaviour::Reverts => {
                        let version = VERSION.to_owned();
                        said.reverted = Some(RevertedUpdate { version, reason });
                    }
                    Behaviour::SaysSo => said.kept = Some(VERSION.to_owned()),
                    Behaviour::Leaves if now.duration_since(since) >= HOUR * 5 => {
                        said.kept = Some(BEFORE.to_owned());
                        facts.running = Some(BEFORE.to_owned());
                    }
                    _ => {
                        said.kept = Some(VERSION.to_owned());
                        facts.running = Some(VERSION.to_owned());
                    }
                }
                is_news = said.phase != UpdatePhase::Idle;
                said.phase = UpdatePhase::Idle;
            }
            _ => {}
        }
        if has_turn || is_news {
            facts.last_report = Some(now);
            let offer = facts.offer.as_mut().filter(|offer| !offer.set_aside);
            let taken = offer.as_ref().map(|offer| offer.taken_at.is_some());
            let runs = wish_of_device(rollout, taken).version.is_some();
            if let Some(offer) = offer.filter(|_| runs) {
                offer.taken_at.get_or_insert(now);
                let is_refused = said.reverted.is_some() || *behaviour == Behaviour::NeverTries;
                if begun.is_none() && !is_refused {
                    *begun = Some(now);
                    said.phase = UpdatePhase::Trying;
                }
            }
            facts.update = Some(ReportedUpdate { reported_at: now, update: said });
        }
    }

    pub fn count(&self, state: RolloutDeviceState) -> usize {
        self.select(|facts| judge_device(&self.rollout, facts, self.now) == state)
    }

    /// Devices to which the version was ever offered.
    pub fn offered(&self) -> usize {
        self.select(|facts| facts.offer.is_some())
    }

    pub fn offered_in_step(&self) -> usize {
        self.select(|facts| self.is_in_step(facts))
    }

    /// Devices that were offered the version in the step, and do not run it.
    pub fn unproven_in_step(&self) -> usize {
        self.select(|facts| {
            let works = facts.running.as_deref() == Some(VERSION)
                && facts.offer.is_some_and(|offer| offer.over_at.is_some());
            self.is_in_step(facts) && !works
        })
    }

    fn is_in_step(&self, facts: &RolloutFacts) -> bool {
        facts.offer.is_some_and(|offer| offer.step == self.rollout.step)
    }

    fn select(&self, is_counted: impl Fn(&RolloutFacts) -> bool) -> usize {
        self.facts.iter().filter(|facts| is_counted(facts)).count()
    }
}
