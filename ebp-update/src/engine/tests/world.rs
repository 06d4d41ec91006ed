//! A machine with a floor, releases that behave as a test wants, meters and a server.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use ebp_core::{
    clock::{Clock, DeviceClock, SimulatedClock},
    cycle::Cycle,
};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::disk::{SharedDisk, SimulatedDisk};
use crate::{
    disk::Disk,
    engine::{Parts, Updater},
    error::UpdateError,
    event::{Event, Next},
    layout,
    limits::Limits,
    moment::is_between_readings,
    programs::{ProgramError, Programs},
    proof::{Observation, Witness},
    release::{Digest, Release, Supply, SupplyError},
    services::{ServiceState, Services, ServicesError},
    state::State,
    version::Version,
};

pub const METER: Uuid = Uuid::from_u128(1);
pub const FLOOR: &str = "1.0.0";
pub const SLOT: Duration = Duration::from_secs(900);

/// How a release behaves.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// What it prints as its version.
    pub prints: Result<Version, ProgramError>,
    pub self_test: Result<(), ProgramError>,
    /// Whether its services end at once.
    pub exits: bool,
    pub measures: bool,
    pub reports: bool,
}

impl Behaviour {
    pub fn good(version: &str) -> Self {
        let prints = Ok(version.parse().unwrap());
        Self { prints, self_test: Ok(()), exits: false, measures: true, reports: true }
    }
}

/// How a service measures, second by second.
#[derive(Debug, Clone)]
pub struct Readings {
    /// How long it takes from a restart until the service measures.
    pub start: Duration,
    /// How long a reading takes.
    pub takes: Duration,
    /// The slot that is being read, and since when.
    under_way: Option<(i64, Timestamp)>,
    /// For each slot that was measured, by its beginning: how long after it the reading was over.
    pub measured: BTreeMap<i64, Duration>,
}

impl Readings {
    pub fn new(start: Duration, takes: Duration) -> Self {
        Self { start, takes, under_way: None, measured: BTreeMap::new() }
    }

    /// What a running service does at that instant: as the real one, it reads the present slot at once
    /// if that is not measured. Returns whether a reading is over.
    fn go_on(&mut self, now: Timestamp) -> bool {
        let length = i64::try_from(SLOT.as_secs()).unwrap();
        let slot = now.as_second() - now.as_second() % length;
        match self.under_way {
            Some((of, begun)) if now.duration_since(begun).unsigned_abs() >= self.takes => {
                let beginning = Timestamp::from_second(of).unwrap();
                self.measured.insert(of, now.duration_since(beginning).unsigned_abs());
                self.under_way = None;
                true
            }
            None if !self.measured.contains_key(&slot) => {
                self.under_way = Some((slot, now));
                false
            }
            _ => false,
        }
    }
}

/// Everything but the disk and the clock.
#[derive(Debug)]
pub struct Facts {
    pub releases: BTreeMap<Version, (Release, Vec<u8>, Behaviour)>,
    pub floor: Behaviour,
    pub desired: Option<Version>,
    /// What the supply gives in place of a release's bytes.
    pub corrupt: bool,
    pub network: bool,
    /// What services run; the floor for `None`.
    pub running: Option<Version>,
    pub started_at: Duration,
    pub measured_at: Option<Timestamp>,
    pub acknowledged: Option<(Timestamp, String)>,
    pub starts: usize,
    /// Every version that services ever ran.
    pub ran: BTreeSet<Version>,
    /// How services measure; at once and always, without it.
    pub readings: Option<Readings>,
    /// How long a look takes that finds no good moment for a switch. Without it each is good.
    pub busy: Option<Duration>,
    /// How often a program was asked for its version, or tested itself.
    pub tests: usize,
}

#[derive(Clone)]
pub struct World {
    pub disk: SharedDisk,
    pub clock: Rc<SimulatedClock>,
    pub facts: Rc<RefCell<Facts>>,
    pub limits: Limits,
}

impl World {
    pub fn new() -> Self {
        let at: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
        let facts = Facts {
            releases: BTreeMap::new(),
            floor: Behaviour::good(FLOOR),
            desired: None,
            corrupt: false,
            network: true,
            running: None,
            started_at: Duration::ZERO,
            measured_at: None,
            acknowledged: None,
            starts: 0,
            ran: BTreeSet::new(),
            readings: None,
            busy: None,
            tests: 0,
        };
        let world = Self {
            disk: SharedDisk(Rc::new(RefCell::new(SimulatedDisk::new()))),
            clock: Rc::new(SimulatedClock::new(at)),
            facts: Rc::new(RefCell::new(facts)),
            limits: Limits {
                chunk: 1000,
                look: Duration::from_secs(30),
                keep_free: 1000,
                ..Limits::default()
            },
        };
        world.pass(SLOT * 2);
        world
    }

    /// A release that is desired from now on.
    pub fn release(&self, version: &str, behaviour: Behaviour) -> Version {
        self.release_of(version, behaviour, 3500)
    }

    /// The same, of so many bytes.
    pub fn release_of(&self, version: &str, behaviour: Behaviour, length: u32) -> Version {
        let version: Version = version.parse().unwrap();
        let bytes: Vec<u8> =
            version.as_str().bytes().cycle().zip(0..length).map(|(b, i)| b ^ i as u8).collect();
        let sha256 = Digest(digest(&SHA256, &bytes).as_ref().try_into().unwrap());
        let (length, architecture) = (bytes.len() as u64, "here".to_owned());
        let release = Release { version: version.clone(), architecture, length, sha256 };
        let mut facts = self.facts.borrow_mut();
        facts.releases.insert(version.clone(), (release, bytes, behaviour));
        facts.desired = Some(version.clone());
        version
    }

    pub fn good(&self, version: &str) -> Version {
        self.release(version, Behaviour::good(version))
    }

    /// Time passes, and services do their work.
    pub fn pass(&self, time: Duration) {
        if self.facts.borrow().readings.is_some() {
            for _ in 0..time.as_secs() {
                self.pass_second();
            }
        } else {
            self.clock.advance(time);
        }
        let mut facts = self.facts.borrow_mut();
        let Behaviour { exits, measures, reports, .. } = facts.behaviour();
        let name = facts.running_name();
        let slot = i64::try_from(SLOT.as_secs()).unwrap();
        let now = self.clock.now().as_second();
        let at = Timestamp::from_second(now - now % slot).unwrap();
        if measures && !exits && facts.readings.is_none() {
            facts.measured_at = Some(at);
        }
        if reports && !exits && facts.network {
            let hour = 3600;
            let is_due = facts
                .acknowledged
                .as_ref()
                .is_none_or(|(at, told)| *told != name || at.as_second() / hour < now / hour);
            if is_due {
                facts.acknowledged = Some((self.clock.now(), name));
            }
        }
    }

    /// A second passes for a service that measures as healthy ones do.
    fn pass_second(&self) {
        self.clock.advance(Duration::from_secs(1));
        let (now, since_boot) = (self.clock.now(), self.clock.since_boot());
        let mut facts = self.facts.borrow_mut();
        let lived = since_boot.saturating_sub(facts.started_at);
        let is_over = facts
            .readings
            .as_mut()
            .is_some_and(|readings| lived >= readings.start && readings.go_on(now));
        if is_over {
            facts.measured_at = Some(now);
        }
    }

    /// The program that the launcher takes now.
    pub fn launched(&self) -> Option<Version> {
        let target = self.disk.read_link(layout::CURRENT).unwrap()?;
        let version: Version = target.strip_prefix("versions/")?.parse().ok()?;
        let disk = self.disk.0.borrow();
        let program = disk.program(&layout::program(&version))?;
        let facts = self.facts.borrow();
        let (_, bytes, behaviour) = &facts.releases[&version];
        // The launcher has it print its version; what is not whole cannot be counted on to fail there.
        assert_eq!(program, bytes, "{version} is run and is not whole");
        behaviour.prints.is_ok().then_some(version)
    }

    /// Services begin anew.
    pub fn start_services(&self) {
        let launched = self.launched();
        let mut facts = self.facts.borrow_mut();
        facts.ran.extend(launched.clone());
        facts.running = launched;
        facts.started_at = self.clock.since_boot();
        facts.starts += 1;
        if let Some(readings) = &mut facts.readings {
            readings.under_way = None;
        }
    }

    /// The machine starts again with that disk.
    pub fn boot(&self, disk: SimulatedDisk) {
        *self.disk.0.borrow_mut() = disk;
        let now = self.clock.now() + jiff::SignedDuration::from_secs(10);
        self.clock.restart(Duration::from_secs(10), now);
        self.clock.synchronise();
        self.start_services();
    }

    /// A round: steps until there is nothing to do.
    pub fn round(&self) -> Result<Vec<Event>, UpdateError> {
        self.steps(usize::MAX)
    }

    pub fn steps(&self, most: usize) -> Result<Vec<Event>, UpdateError> {
        let (mut disk, mut one, mut two, mut three, mut four) =
            (self.disk.clone(), self.clone(), self.clone(), self.clone(), self.clone());
        let parts = Parts {
            disk: &mut disk,
            supply: &mut one,
            programs: &mut two,
            services: &mut three,
            witness: &mut four,
            clock: &*self.clock,
            architecture: "here",
        };
        let mut updater = Updater::open(parts, self.limits.clone())?;
        let mut events = Vec::new();
        for _ in 0..most {
            let next = updater.step();
            events.extend(updater.take_events());
            match next? {
                Next::Now => {}
                Next::In(time) => self.pass(time),
                Next::NextRound => break,
            }
        }
        Ok(events)
    }

    pub fn state(&self) -> State {
        State::look(&self.disk).unwrap()
    }

    pub fn committed(&self) -> Option<Version> {
        self.state().committed.map(|release| release.version)
    }
}

impl Facts {
    fn behaviour(&self) -> Behaviour {
        self.running.as_ref().map_or(&self.floor, |version| &self.releases[version].2).clone()
    }

    fn running_name(&self) -> String {
        let floor = || self.floor.prints.as_ref().map_or("?", Version::as_str);
        self.running.as_ref().map_or_else(floor, Version::as_str).to_owned()
    }
}

impl Supply for World {
    fn desired(&mut self) -> Result<Option<Release>, SupplyError> {
        let facts = self.facts.borrow();
        Ok(facts.desired.as_ref().map(|version| facts.releases[version].0.clone()))
    }

    fn read(
        &mut self,
        release: &Release,
        at: u64,
        buffer: &mut [u8],
    ) -> Result<usize, SupplyError> {
        let facts = self.facts.borrow();
        let rest = &facts.releases[&release.version].1[at as usize..];
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        if facts.corrupt {
            buffer[0] ^= 1;
        }
        Ok(read)
    }
}

impl Programs for World {
    fn version(&mut self, version: Option<&Version>) -> Result<Version, ProgramError> {
        let mut facts = self.facts.borrow_mut();
        facts.tests += usize::from(version.is_some());
        version.map_or(&facts.floor, |version| &facts.releases[version].2).prints.clone()
    }

    fn self_test(&mut self, version: Option<&Version>) -> Result<(), ProgramError> {
        let mut facts = self.facts.borrow_mut();
        facts.tests += 1;
        version.map_or(&facts.floor, |version| &facts.releases[version].2).self_test.clone()
    }
}

impl Services for World {
    fn restart(&mut self) -> Result<(), ServicesError> {
        self.start_services();
        Ok(())
    }

    fn states(&mut self) -> Result<BTreeMap<String, ServiceState>, ServicesError> {
        let facts = self.facts.borrow();
        let lived = self.clock.since_boot().saturating_sub(facts.started_at);
        let restarts = if facts.behaviour().exits { lived.as_secs() / 5 } else { 0 };
        let restarts = u32::try_from(restarts).unwrap();
        Ok([("ebp-read.service".to_owned(), ServiceState { active: true, restarts })].into())
    }
}

impl Witness for World {
    fn observe(&mut self) -> Observation {
        let facts = self.facts.borrow();
        let age = |at: Timestamp| self.clock.now().duration_since(at).unsigned_abs();
        let works = facts.measured_at.is_some_and(|at| age(at) < SLOT * 2);
        Observation {
            meters: [(METER, (facts.measured_at, works))].into(),
            acknowledged: facts.acknowledged.clone(),
            reports: facts.acknowledged.is_some() && facts.network,
            tunnel: None,
            revoked: false,
        }
    }

    fn reaches_server(&mut self) -> bool {
        self.facts.borrow().network
    }

    fn is_good_moment(&mut self) -> bool {
        let busy = self.facts.borrow().busy;
        if let Some(takes) = busy {
            self.clock.advance(takes);
            return false;
        }
        let cycle: Cycle = format!("{}s", SLOT.as_secs()).parse().unwrap();
        self.facts.borrow().readings.is_none() || is_between_readings(cycle, self.clock.now())
    }
}
