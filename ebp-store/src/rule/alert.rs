//! The rules of alerts about devices: from what is known of them, and the instant, to episodes that
//! begin and end, and to messages. Pure functions for both databases.
//!
//! Problem: a device stops, and somebody has to learn of it once, not in the night, and not at all
//! when it was the server that was away. Method: for each device and kind of trouble a [`Verdict`],
//! which is unknown where the server could not have heard of the device; an episode begins by
//! trouble and ends by its absence alone. Guarantee: of each device and kind at most one episode is
//! open, each is told when it begins and when it ends, once, and nothing is due in quiet hours.

mod delivery;
mod quiet;

use std::{collections::BTreeMap, time::Duration};

use ebp_core::contract::{AlertKind, AlertMessageKind};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub use delivery::{Attempted, LONGEST_PAUSE, is_due, next_attempt};
pub use quiet::{InvalidQuietHours, QuietHours};

/// Telegrams below which a share of damaged ones says nothing.
const FEWEST_TELEGRAMS: u64 = 20;

/// From when on devices are in trouble; a rule that is absent is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertThresholds {
    /// The age of a device's last report.
    pub silent: Option<Duration>,
    /// The age of a meter's last measurement.
    pub late: Option<Duration>,
    /// The age of an open incident.
    pub incident: Option<Duration>,
    /// The time to a certificate's end.
    pub certificate: Option<Duration>,
    /// The share of damaged telegrams, percent.
    pub damaged_percent: Option<u8>,
    /// Where nobody has watched for longer than this, or the clock was set by more, devices get the
    /// time to report before they count as silent or late.
    pub longest_gap: Duration,
}

impl Default for AlertThresholds {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Self {
            // Two report cycles, and what a report may take.
            silent: Some(hours(2) + Duration::from_secs(30)),
            late: Some(hours(3)),
            incident: Some(hours(1)),
            certificate: Some(hours(21 * 24)),
            damaged_percent: Some(20),
            longest_gap: hours(1),
        }
    }
}

/// What is known of a device whose household consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFacts {
    /// The device.
    pub device: Uuid,
    /// When it reported last: measurements, incidents or its status. Absent if it never did.
    pub last_report: Option<Timestamp>,
    /// Of the last measurements of its meters the oldest one. Meters that were never measured are
    /// left out.
    pub last_measurement: Option<Timestamp>,
    /// Since when the oldest of its meters' open incidents is open.
    pub incident_since: Option<Timestamp>,
    /// When the last of its certificates for measuring ends that is not revoked.
    pub certificate_until: Option<Timestamp>,
    /// Of its meters' telegrams those with the largest damaged share: all and damaged ones.
    pub damaged: Option<(u64, u64)>,
    /// When two processes last used its certificate in turn, if they ever did.
    pub conflict: Option<TunnelConflict>,
    /// When errors of a group became known that this device was the first to report, within the last
    /// day.
    pub new_error: Option<Timestamp>,
    /// Whether somebody silenced its alerts.
    pub silenced: bool,
}

/// Two processes that used a device's certificate in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TunnelConflict {
    /// When that was seen last.
    pub at: Timestamp,
    /// The run of the device's program that had the tunnel, and the one that was refused.
    pub instances: [Uuid; 2],
}

/// Without a conflict for that time there are no longer two processes: the one that is refused comes
/// back every minute.
pub(crate) const CONFLICT_OVER: SignedDuration = SignedDuration::from_mins(10);

/// For so long a group of errors is new.
pub(crate) const ERROR_NEW: SignedDuration = SignedDuration::from_hours(24);

/// How a device is by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is in trouble, since then.
    Trouble(Timestamp),
    /// It is not.
    Fine,
    /// That cannot be told: neither does an episode begin by this nor end.
    Unknown,
}

/// Since when devices have been watched without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watching {
    /// When somebody looked last.
    pub looked_at: Timestamp,
    /// Since when that was done without a gap and without a clock that was set.
    pub since: Timestamp,
}

impl Watching {
    /// The same after a look at `now`.
    #[must_use]
    pub fn look(before: Option<Self>, now: Timestamp, longest_gap: Duration) -> Self {
        let without_gap = before.filter(|before| {
            let passed = now.duration_since(before.looked_at);
            !passed.is_negative() && passed.unsigned_abs() <= longest_gap && before.since <= now
        });
        Self { looked_at: now, since: without_gap.map_or(now, |before| before.since) }
    }
}

/// Judges a device by one rule.
#[must_use]
pub fn judge(
    facts: &DeviceFacts,
    kind: AlertKind,
    thresholds: &AlertThresholds,
    watching: Watching,
) -> Verdict {
    let now = watching.looked_at;
    let verdict = match kind {
        AlertKind::Silent => heard(facts.last_report, thresholds.silent, thresholds, watching),
        AlertKind::Late => {
            let late = heard(facts.last_measurement, thresholds.late, thresholds, watching);
            // Of a device that does not report it is not known what it measured.
            match (late, heard(facts.last_report, thresholds.silent, thresholds, watching)) {
                (Verdict::Trouble(_), Verdict::Trouble(_) | Verdict::Unknown) => Verdict::Unknown,
                (late, _) => late,
            }
        }
        AlertKind::Incident => match (facts.incident_since, thresholds.incident) {
            (Some(since), Some(limit)) if is_older(since.min(now), limit, now) => {
                Verdict::Trouble(since.min(now))
            }
            // One that is open and not old enough does not end what an older one began.
            (Some(_), Some(_)) => Verdict::Unknown,
            _ => Verdict::Fine,
        },
        AlertKind::Certificate => match (facts.certificate_until, thresholds.certificate) {
            (Some(until), Some(limit)) => {
                let warned_at = minus(until, limit);
                if warned_at < now { Verdict::Trouble(warned_at) } else { Verdict::Fine }
            }
            _ => Verdict::Fine,
        },
        AlertKind::Damaged => match (facts.damaged, thresholds.damaged_percent) {
            (Some((telegrams, _)), Some(_)) if telegrams < FEWEST_TELEGRAMS => Verdict::Unknown,
            (Some((telegrams, damaged)), Some(percent)) => {
                let part = u128::from(damaged) * 100;
                match part >= u128::from(telegrams) * u128::from(percent) {
                    true => Verdict::Trouble(facts.last_report.map_or(now, |at| at.min(now))),
                    false => Verdict::Fine,
                }
            }
            _ => Verdict::Fine,
        },
        AlertKind::CopiedCertificate => match facts.conflict {
            Some(conflict) if now.duration_since(conflict.at) < CONFLICT_OVER => {
                Verdict::Trouble(conflict.at.min(now))
            }
            _ => Verdict::Fine,
        },
        AlertKind::NewError => match facts.new_error {
            Some(known_at) if now.duration_since(known_at) < ERROR_NEW => {
                Verdict::Trouble(known_at.min(now))
            }
            _ => Verdict::Fine,
        },
    };
    match verdict {
        Verdict::Trouble(_) if facts.silenced => Verdict::Unknown,
        verdict => verdict,
    }
}

/// Whether something that comes regularly has come not long ago.
fn heard(
    last: Option<Timestamp>,
    limit: Option<Duration>,
    thresholds: &AlertThresholds,
    watching: Watching,
) -> Verdict {
    let now = watching.looked_at;
    let (Some(last), Some(limit)) = (last, limit) else { return Verdict::Fine };
    // Servers' clocks differ a little. What is far in the future was stamped before the clock was
    // set back: when that was is not known.
    let is_known = last <= now.checked_add(thresholds.longest_gap).unwrap_or(Timestamp::MAX);
    if is_known && !is_older(last, limit, now) {
        return Verdict::Fine;
    }
    // What came while nobody watched is not known either.
    let heard_until = if is_known { watching.since.max(last) } else { watching.since };
    match is_older(heard_until, limit, now) {
        true => Verdict::Trouble(last.min(now)),
        false => Verdict::Unknown,
    }
}

fn is_older(at: Timestamp, limit: Duration, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age.unsigned_abs() > limit
}

fn minus(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// An episode as it is stored, as long as it is open or something of it is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Its identifier.
    pub uuid: Uuid,
    /// The device.
    pub device: Uuid,
    /// What is wrong with it.
    pub kind: AlertKind,
    /// When its beginning was noted, unless that is told.
    pub begin_untold: Option<Timestamp>,
    /// Whether it is open.
    pub open: bool,
    /// When its end was noted, unless that is told.
    pub end_untold: Option<Timestamp>,
}

/// An episode that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEpisode {
    /// Its identifier.
    pub uuid: Uuid,
    /// The device.
    pub device: Uuid,
    /// What is wrong with it.
    pub kind: AlertKind,
    /// Since when.
    pub began_at: Timestamp,
    /// Of a copied certificate the two runs of the device's program.
    pub instances: Option<[Uuid; 2]>,
}

/// Which episodes begin and which end by these facts. `new_uuid` gives each new one an identifier.
#[must_use]
pub fn changes(
    facts: &[DeviceFacts],
    episodes: &[Episode],
    thresholds: &AlertThresholds,
    watching: Watching,
    mut new_uuid: impl FnMut() -> Uuid,
) -> (Vec<NewEpisode>, Vec<Uuid>) {
    let open: BTreeMap<(Uuid, AlertKind), Uuid> = episodes
        .iter()
        .filter(|episode| episode.open)
        .map(|episode| ((episode.device, episode.kind), episode.uuid))
        .collect();
    let (mut begin, mut end) = (Vec::new(), Vec::new());
    for facts in facts {
        for kind in AlertKind::ALL {
            match (judge(facts, kind, thresholds, watching), open.get(&(facts.device, kind))) {
                (Verdict::Trouble(began_at), None) => {
                    let device = facts.device;
                    let is_copied = kind == AlertKind::CopiedCertificate;
                    let conflict = facts.conflict.filter(|_| is_copied);
                    let instances = conflict.map(|conflict| conflict.instances);
                    begin.push(NewEpisode { uuid: new_uuid(), device, kind, began_at, instances });
                }
                (Verdict::Fine, Some(episode)) => end.push(*episode),
                _ => {}
            }
        }
    }
    (begin, end)
}

/// How messages are made of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePolicy {
    /// When nothing is sent.
    pub quiet: Option<QuietHours>,
    /// So many messages an hour are sent as soon as something changes.
    pub at_once: usize,
    /// Further ones are this far apart: what changes meanwhile becomes one.
    pub apart: Duration,
}

impl Default for MessagePolicy {
    fn default() -> Self {
        Self { quiet: None, at_once: 4, apart: Duration::from_secs(900) }
    }
}

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMessage {
    /// Why.
    pub kind: AlertMessageKind,
    /// The episodes whose beginning it tells.
    pub begins: Vec<Uuid>,
    /// The episodes whose end it tells.
    pub ends: Vec<Uuid>,
}

/// The message that is due now, if one is: all changes that are due in one.
///
/// `sent` are the instants of the messages before.
#[must_use]
pub fn plan(
    episodes: &[Episode],
    sent: &[Timestamp],
    policy: &MessagePolicy,
    now: Timestamp,
) -> Option<PlannedMessage> {
    if policy.quiet.as_ref().is_some_and(|quiet| quiet.is_quiet(now)) || is_held(sent, policy, now)
    {
        return None;
    }
    // What was noted by a clock that was set back since was noted now.
    let noted = |at: Timestamp| at.min(now);
    let due = |at: &Timestamp| match &policy.quiet {
        Some(quiet) => quiet.due(noted(*at)) <= now,
        None => true,
    };
    let quiet =
        |at: &Timestamp| policy.quiet.as_ref().is_some_and(|quiet| quiet.is_quiet(noted(*at)));
    let mut planned =
        PlannedMessage { kind: AlertMessageKind::Changes, begins: Vec::new(), ends: Vec::new() };
    let mut is_digest = false;
    for episode in episodes {
        let begin = episode.begin_untold.filter(|at| due(at));
        // Its end is not told before its beginning.
        let end = episode
            .end_untold
            .filter(|at| due(at) && (episode.begin_untold.is_none() || begin.is_some()));
        is_digest |= begin.iter().chain(&end).any(&quiet);
        planned.begins.extend(begin.map(|_| episode.uuid));
        planned.ends.extend(end.map(|_| episode.uuid));
    }
    if planned.begins.is_empty() && planned.ends.is_empty() {
        return None;
    }
    if is_digest {
        planned.kind = AlertMessageKind::Digest;
    }
    Some(planned)
}

/// Whether there were so many messages that further changes are gathered. Messages in the future
/// were sent before the clock was set back, and do not count.
fn is_held(sent: &[Timestamp], policy: &MessagePolicy, now: Timestamp) -> bool {
    let age = |at: &Timestamp| now.duration_since(*at);
    let recent: Vec<SignedDuration> = sent
        .iter()
        .map(age)
        .filter(|age| !age.is_negative() && *age < SignedDuration::from_hours(1))
        .collect();
    recent.len() >= policy.at_once
        && recent.iter().min().is_some_and(|age| age.unsigned_abs() < policy.apart)
}

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
