//! The faults of a field test, drawn before it begins.
//!
//! Enters: a seed, how long, which kinds. Leaves: what goes wrong where and when. Absent: what
//! follows from it.
//!
//! What is drawn is what field tests of such devices meet. Times last from seconds to days, short
//! ones as often as long ones, and all faults end before the field test does, so that what was held
//! up arrives within it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    card::Loss,
    chance::{Chance, after},
    faults::{BootClock, Cut, DeviceFault, Head, Kind, Kinds, Weather},
    span::{Span, Spans},
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// How long a device's certificate is valid where certificates expire: it is renewed at two thirds.
pub const CERTIFICATE: Duration = Duration::from_secs(4 * 86_400);

/// Outages of a field test of three weeks last up to so many days; of a shorter one, up to its share
/// of that, and of a longer one no longer: then there are more of them.
const LONGEST_OF: u32 = 21;

/// The kernel no longer believes in its time after so long without a word (16 s at 500 ppm).
const BELIEF: Duration = Duration::from_secs(9 * 3600);
/// From a network to the time.
pub const TIME_TAKES: Duration = Duration::from_secs(8);

/// Devices are put up within so long before the first slot that counts.
pub const PUTTING_UP: SignedDuration = SignedDuration::from_hours(6);

/// Everything that goes wrong.
#[derive(Debug, Default)]
pub struct Plan {
    /// By device.
    pub devices: Vec<DevicePlan>,
    /// By meter.
    pub meters: Vec<MeterPlan>,
    /// When the server is not running.
    pub server_down: Spans,
    /// When it, or what stands before it, answers anything but what was asked for.
    pub sky: Arc<Sky>,
    /// Which device's participant revokes consent, and when.
    pub revokes: Option<(usize, Timestamp)>,
    /// How many of each kind there are.
    pub drawn: BTreeMap<&'static str, u64>,
}

/// What goes wrong for all devices alike.
#[derive(Debug, Clone, Default)]
pub struct Sky {
    /// When requests are answered what.
    pub weather: Vec<(Span, Weather)>,
    /// Of so many requests in a hundred the answer is lost.
    pub lost_answers: u32,
}

/// What goes wrong with a device.
#[derive(Debug, Default)]
pub struct DevicePlan {
    /// When it is put up; nothing is wrong before.
    pub installed: Timestamp,
    /// When its participant grants consent.
    pub granted: Timestamp,
    /// When it has no network.
    pub offline: Spans,
    /// What happens at an instant, in order.
    pub events: Vec<(Timestamp, DeviceFault)>,
    /// Of its quartz, parts in a million.
    pub drift: i32,
}

impl DevicePlan {
    /// When another clock is heard after that instant.
    #[must_use]
    pub fn time_after(&self, from: Timestamp) -> Timestamp {
        let at = after(from, TIME_TAKES);
        match self.offline.at(at) {
            Some(span) => after(span.to, TIME_TAKES),
            None => at,
        }
    }

    /// When the kernel gives up its time after that instant.
    #[must_use]
    pub fn loses_time_after(&self, from: Timestamp) -> Option<Timestamp> {
        let outages = self.offline.iter().filter(|span| span.to > from);
        let long = outages.map(|span| (span.from.max(from), span.to));
        long.map(|(begin, to)| (after(begin, BELIEF), to))
            .find(|(at, to)| at < to)
            .map(|(at, _)| at)
    }
}

/// What goes wrong with a meter and its head.
#[derive(Debug, Default)]
pub struct MeterPlan {
    /// When it has no power; afterwards it is locked.
    pub dark: Spans,
    /// When its head fails, and how.
    pub head: Vec<(Span, Head)>,
}

impl Plan {
    /// Draws the faults of `days` days from `start` on, for devices and meters.
    #[must_use]
    pub fn draw(
        seed: u64,
        (start, days): (Timestamp, u32),
        kinds: &Kinds,
        (devices, meters): (usize, usize),
    ) -> Self {
        let end = after(start, DAY * days);
        // Whatever lasts ends four hours before the end.
        let last = end - SignedDuration::from_hours(4);
        let mut plan = Self::default();
        let faults = !kinds.is_empty();
        plan.server(&mut Chance::new(seed, 1), start, last, days, kinds);
        for device in 0..devices {
            let mut chance = Chance::new(seed, 100 + device as u64);
            let installed = after(start - PUTTING_UP, chance.lasting(MINUTE, 5 * HOUR));
            let one = plan.device(&mut chance, (installed, start, last), days, kinds);
            plan.devices.push(one);
        }
        for meter in 0..meters {
            let mut chance = Chance::new(seed, 1000 + meter as u64);
            let one = plan.meter(&mut chance, start, last, days, kinds);
            plan.meters.push(one);
        }
        if kinds.has(Kind::Certificate) && days > 6 {
            plan.outlive_a_certificate(&mut Chance::new(seed, 3), last);
        }
        if kinds.has(Kind::Consent) && faults {
            let mut chance = Chance::new(seed, 2);
            // The first device's household goes, the second one's comes late.
            let middle =
                chance.instant(after(start, DAY * days / 3), after(start, DAY * days * 2 / 3));
            plan.revokes = Some((0, middle));
            let late = &mut plan.devices[1];
            late.granted = after(late.installed, chance.lasting(4 * HOUR, DAY * days / 4));
            *plan.drawn.entry("consent revoked").or_default() += 1;
            *plan.drawn.entry("consent granted late").or_default() += 1;
        }
        plan
    }

    /// A device has no network from before its first certificate is due until after its end.
    fn outlive_a_certificate(&mut self, chance: &mut Chance, last: Timestamp) {
        // Not the first one, whose participant revokes consent.
        let index = usize::try_from(chance.between(1, self.devices.len() as u64 - 1)).unwrap_or(1);
        let device = &mut self.devices[index];
        let due = after(device.installed, CERTIFICATE / 3 * 2);
        let back = after(device.installed, CERTIFICATE + chance.lasting(HOUR, DAY / 2));
        device.offline.add(due - SignedDuration::from_hours(2), back.min(last));
        self.note("network outage that outlives a certificate");
    }

    fn note(&mut self, what: &'static str) {
        *self.drawn.entry(what).or_default() += 1;
    }

    fn server(
        &mut self,
        chance: &mut Chance,
        start: Timestamp,
        last: Timestamp,
        days: u32,
        kinds: &Kinds,
    ) {
        if kinds.has(Kind::Server) {
            let most = (DAY * days.min(LONGEST_OF) / 14).max(2 * HOUR);
            for _ in 0..chance.count(5, 9, days) {
                let from = chance.instant(start, last);
                let to = after(from, chance.lasting(Duration::from_secs(20), most)).min(last);
                self.server_down.add(from, to);
                self.note("server outage");
            }
        }
        if kinds.has(Kind::Answers) {
            let mut sky = Sky { lost_answers: 3, ..Sky::default() };
            for _ in 0..chance.count(8, 14, days) {
                let from = chance.instant(start, last);
                let span =
                    Span { from, to: after(from, chance.lasting(3 * MINUTE, 2 * HOUR)).min(last) };
                let weather = chance.pick(&Weather::ALL);
                self.note(weather.name());
                sky.weather.push((span, weather));
            }
            self.sky = Arc::new(sky);
        }
    }

    fn device(
        &mut self,
        chance: &mut Chance,
        (installed, begin, last): (Timestamp, Timestamp, Timestamp),
        days: u32,
        kinds: &Kinds,
    ) -> DevicePlan {
        let mut plan = DevicePlan { installed, granted: installed, ..DevicePlan::default() };
        if kinds.has(Kind::Network) {
            let most = (DAY * days.min(LONGEST_OF) / 10).max(2 * HOUR);
            for _ in 0..chance.count(4, 9, days) {
                let from = chance.instant(begin, last);
                let to = after(from, chance.lasting(Duration::from_secs(10), most)).min(last);
                plan.offline.add(from, to);
                self.note("network outage");
            }
        }
        if kinds.has(Kind::Clock) {
            plan.drift = i32::try_from(chance.between(0, 6)).unwrap_or(0) - 3;
            for _ in 0..chance.count(3, 6, days) {
                let millis = i64::try_from(chance.between(0, 800)).unwrap_or(0) - 400;
                plan.events.push((chance.instant(begin, last), DeviceFault::Step { millis }));
                self.note("clock stepped");
            }
        }
        if kinds.has(Kind::Power) {
            for _ in 0..chance.count(4, 8, days) {
                let at = chance.instant(begin, last);
                let off = chance.lasting(Duration::from_secs(2), 8 * HOUR);
                let off = off.min(crate::chance::until(at, last));
                let damage = kinds.has(Kind::Damage) && chance.percent(12);
                let cut = if damage {
                    Cut::Damage(chance.pick(&[Loss::First, Loss::Low, Loss::Any, Loss::Two]))
                } else {
                    chance.pick(&[
                        Cut::Plain,
                        Cut::Plain,
                        Cut::MidWrite,
                        Cut::MidWrite,
                        Cut::MidUpload,
                    ])
                };
                let clock = if kinds.has(Kind::Clock) {
                    chance.pick(&[
                        BootClock::Epoch,
                        BootClock::LastKnown,
                        BootClock::Hours(-7),
                        BootClock::Hours(5),
                    ])
                } else {
                    BootClock::Right
                };
                self.note(cut.name());
                self.note(clock.name());
                // The household's router comes back later than the device, sometimes much later.
                if kinds.has(Kind::Network) && chance.percent(60) {
                    let on = after(at, off);
                    let late = after(on, chance.lasting(MINUTE, 8 * HOUR)).min(last);
                    plan.offline.add(on, late);
                    self.note("router late after a power cut");
                }
                plan.events.push((at, DeviceFault::Power { off, cut, clock }));
            }
        }
        if kinds.has(Kind::Daemon) {
            for _ in 0..chance.count(5, 10, days) {
                let mid_write = chance.percent(50);
                self.note(if mid_write {
                    "daemons killed in a write"
                } else {
                    "daemons restarted"
                });
                plan.events.push((chance.instant(begin, last), DeviceFault::Kill { mid_write }));
            }
        }
        if kinds.has(Kind::Spool) {
            for _ in 0..chance.count(1, 2, days) {
                self.note("spool gone under the daemons");
                plan.events.push((chance.instant(begin, last), DeviceFault::SpoolLost));
            }
        }
        plan.events.sort_by_key(|(at, _)| *at);
        plan
    }

    fn meter(
        &mut self,
        chance: &mut Chance,
        begin: Timestamp,
        last: Timestamp,
        days: u32,
        kinds: &Kinds,
    ) -> MeterPlan {
        let mut plan = MeterPlan::default();
        if kinds.has(Kind::Lock) {
            for _ in 0..chance.count(1, 3, days) {
                let from = chance.instant(begin, last);
                let to = after(from, chance.lasting(Duration::from_secs(1), 3 * HOUR)).min(last);
                plan.dark.add(from, to);
                self.note("meter without power, locked again");
            }
        }
        if kinds.has(Kind::Head) {
            for _ in 0..chance.count(6, 12, days) {
                let from = chance.instant(begin, last);
                let to = after(from, chance.lasting(Duration::from_secs(20), 10 * HOUR)).min(last);
                let head = chance.pick(&Head::ALL);
                self.note(head.name());
                plan.head.push((Span { from, to }, head));
            }
        }
        plan
    }
}
