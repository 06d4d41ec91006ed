//! What proves a release: everything that worked before it works with it.
//!
//! Before the switch it is noted what works: each meter, reports, the tunnel. Within the time of the
//! trial each meter has to be read twice (the first of these readings may be the version's before),
//! and the server has to acknowledge a report with the new version in it. What did not work before is
//! not demanded. What needs the server is the release's fault only if the judge itself, which is the
//! version before, reaches that server.

use std::{collections::BTreeMap, fmt, time::Duration};

use ebp_core::clock::Moment;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{limits::Limits, version::Version};

/// Readings of a meter that prove it: the first may be one of the version before.
const READINGS: u32 = 2;

/// Something that worked before a release, and has to with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// That meter is measured.
    Meter(Uuid),
    /// The server acknowledges reports.
    Report,
    /// The tunnel is held.
    Tunnel,
}

impl Demand {
    /// Whether it needs the server.
    const fn needs_server(&self) -> bool {
        matches!(self, Self::Report | Self::Tunnel)
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meter(meter) => write!(f, "meter {meter}"),
            Self::Report => f.write_str("reports"),
            Self::Tunnel => f.write_str("the tunnel"),
        }
    }
}

/// What of a device works now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// The meters by their identifiers: when each was measured last, and whether that was so lately
    /// that it works. Empty if the measuring service does not answer.
    pub meters: BTreeMap<Uuid, (Option<Timestamp>, bool)>,
    /// When the server last acknowledged a status, and with which version in it.
    pub acknowledged: Option<(Timestamp, String)>,
    /// Whether that was so lately that reports work.
    pub reports: bool,
    /// Whether the tunnel is held; `None` if that is not known.
    pub tunnel: Option<bool>,
    /// Whether consent is revoked for good: nothing is measured any more.
    pub revoked: bool,
}

impl Observation {
    /// What works.
    #[must_use]
    pub fn working(&self) -> Vec<Demand> {
        let meters = self.meters.iter().filter(|(_, (_, works))| *works);
        let mut demands: Vec<_> = meters.map(|(meter, _)| Demand::Meter(*meter)).collect();
        demands.extend(self.reports.then_some(Demand::Report));
        demands.extend((self.tunnel == Some(true)).then_some(Demand::Tunnel));
        demands
    }
}

/// Who sees what works.
pub trait Witness {
    /// What works now.
    fn observe(&mut self) -> Observation;

    /// Whether this process reaches the server, with the device's identity.
    fn reaches_server(&mut self) -> bool;

    /// Whether services may be restarted now: no reading is cut off, and nobody's session through the
    /// tunnel. The engine waits for such a moment for two hours at most.
    fn is_good_moment(&mut self) -> bool;
}

/// What was seen of a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// What has to work.
    pub demands: Vec<Demand>,
    /// When each meter was measured last, and how often that was another instant than before.
    pub meters: BTreeMap<Uuid, (Option<Timestamp>, u32)>,
    /// When the server had acknowledged a status before.
    pub acknowledged_before: Option<Timestamp>,
    /// Whether it has acknowledged one with the version that is tried.
    pub acknowledged: bool,
    /// Whether the tunnel was held.
    pub tunnel: bool,
    /// Whether consent was revoked for good.
    pub revoked: bool,
    /// For how long the machine ran.
    pub ran: Duration,
    /// For how long of that the server was reached by the judge, without a break until now.
    pub reachable: Duration,
    /// The runs of the machine, the newest last.
    pub boots: Vec<Uuid>,
    /// How long the newest had lasted when it was looked at last.
    pub since_boot: Duration,
}

/// What follows from what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is too early.
    Wait,
    /// Only the server is missing, and nobody reaches it.
    WaitForServer,
    /// Everything works that did.
    Proven,
    /// Everything works that needs no server, which was not reached for the longest time.
    ProvenWithoutServer,
    /// That does not work.
    Failed(Vec<Demand>),
}

impl Watch {
    /// Begins with what was seen before the switch, and has to work.
    pub(crate) fn begin(before: &Observation, demands: Vec<Demand>, now: &Moment) -> Self {
        Self {
            demands,
            meters: before.meters.iter().map(|(meter, (at, _))| (*meter, (*at, 0))).collect(),
            acknowledged_before: before.acknowledged.as_ref().map(|(at, _)| *at),
            boots: vec![now.boot.0],
            since_boot: now.since_boot,
            ..Self::default()
        }
    }

    /// Services were restarted: readings before that prove nothing.
    pub(crate) fn begin_anew(&mut self) {
        self.meters.values_mut().for_each(|(_, readings)| *readings = 0);
    }

    /// Time has passed; returns how long the machine ran since the last call.
    pub(crate) fn tick(&mut self, now: &Moment) -> Duration {
        let passed = if self.boots.last() == Some(&now.boot.0) {
            now.since_boot.saturating_sub(self.since_boot)
        } else {
            self.boots.push(now.boot.0);
            now.since_boot
        };
        self.since_boot = now.since_boot;
        self.ran += passed;
        passed
    }

    /// Takes in what was seen while that version was to run. Returns whether something that is
    /// demanded works now and did not before.
    pub(crate) fn see(&mut self, seen: &Observation, version: Option<&Version>) -> bool {
        let before = self.missing().len();
        for (meter, (at, _)) in &seen.meters {
            let (last, readings) = self.meters.entry(*meter).or_default();
            if at.is_some() && last != at {
                *last = *at;
                *readings = readings.saturating_add(1);
            }
        }
        if let Some((at, acknowledged)) = &seen.acknowledged
            && self.acknowledged_before != Some(*at)
            && version.is_some_and(|version| version.as_str() == acknowledged)
        {
            self.acknowledged = true;
        }
        self.tunnel |= seen.tunnel == Some(true);
        self.revoked |= seen.revoked;
        self.missing().len() < before
    }

    /// How many readings were seen that count for a proof.
    pub(crate) fn counted(&self) -> u32 {
        self.meters.values().map(|(_, readings)| (*readings).min(READINGS)).sum()
    }

    /// What is demanded and was not seen to work yet.
    #[must_use]
    pub fn missing(&self) -> Vec<Demand> {
        if self.revoked {
            return Vec::new();
        }
        let is_missing = |demand: &&Demand| match demand {
            Demand::Meter(meter) => {
                self.meters.get(meter).is_none_or(|(_, readings)| *readings < READINGS)
            }
            Demand::Report => !self.acknowledged,
            Demand::Tunnel => !self.tunnel,
        };
        self.demands.iter().filter(is_missing).cloned().collect()
    }

    /// Whether the judge has to find out if the server is reached.
    pub(crate) fn wants_probe(&self, limits: &Limits) -> bool {
        self.ran + limits.grace >= limits.trial && self.missing().iter().any(Demand::needs_server)
    }

    /// The judge tried to reach the server, `passed` after the last time.
    pub(crate) fn probed(&mut self, reached: bool, passed: Duration) {
        self.reachable = if reached { self.reachable + passed } else { Duration::ZERO };
    }

    /// What follows, where the judge now reaches the server or not.
    ///
    /// Nothing counts that was seen before services were `restarted`, and a release of which nothing is
    /// demanded has to run for a while.
    pub(crate) fn judge(&self, limits: &Limits, reached: bool, restarted: bool) -> Verdict {
        let missing = self.missing();
        if !restarted {
            let is_over = self.ran >= limits.trial;
            return if is_over { Verdict::Failed(self.demands.clone()) } else { Verdict::Wait };
        }
        if missing.is_empty() {
            return if self.ran >= limits.settle { Verdict::Proven } else { Verdict::Wait };
        }
        if self.ran < limits.trial {
            return Verdict::Wait;
        }
        if missing.iter().any(|demand| !demand.needs_server()) {
            return Verdict::Failed(missing);
        }
        if reached {
            // The release may have to wait before it tries again, too.
            let is_certain = self.reachable >= limits.grace;
            return if is_certain { Verdict::Failed(missing) } else { Verdict::Wait };
        }
        if self.ran >= limits.offline {
            Verdict::ProvenWithoutServer
        } else {
            Verdict::WaitForServer
        }
    }
}
