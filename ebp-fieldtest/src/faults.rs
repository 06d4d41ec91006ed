//! The kinds of faults.
//!
//! Enters: their names. Leaves: [`Kinds`] and what each fault is. Absent: when they happen.

use std::{str::FromStr, time::Duration};

use crate::card::Loss;

/// A kind of faults, to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Power cuts of devices.
    Power,
    /// Restarts and kills of the daemons.
    Daemon,
    /// Devices without a network.
    Network,
    /// The server is down.
    Server,
    /// Answers are lost, or are not what was asked for.
    Answers,
    /// Heads fall off, go silent, hang, slip.
    Head,
    /// Meters lose power and lock again.
    Lock,
    /// Clocks wrong at boot, steps, drift.
    Clock,
    /// Damaged spool files.
    Damage,
    /// Spool files that are gone while the daemons run.
    Spool,
    /// Certificates that are valid for days only.
    Certificate,
    /// Consent revoked, and granted late.
    Consent,
}

impl Kind {
    const NAMES: [(Self, &str); 12] = [
        (Self::Power, "power"),
        (Self::Daemon, "daemon"),
        (Self::Network, "network"),
        (Self::Server, "server"),
        (Self::Answers, "answers"),
        (Self::Head, "head"),
        (Self::Lock, "lock"),
        (Self::Clock, "clock"),
        (Self::Damage, "damage"),
        (Self::Spool, "spool"),
        (Self::Certificate, "certificate"),
        (Self::Consent, "consent"),
    ];
}

/// Which kinds of faults there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(Vec<Kind>);

impl Kinds {
    /// Every kind.
    #[must_use]
    pub fn all() -> Self {
        Self(Kind::NAMES.iter().map(|(kind, _)| *kind).collect())
    }

    /// No fault.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether there are faults of that kind.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        self.0.contains(&kind)
    }

    /// Whether there is no fault at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Kinds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::none()),
            _ => {}
        }
        let kind =
            |name: &str| Kind::NAMES.iter().find(|(_, known)| *known == name).map(|(k, _)| *k);
        text.split(',')
            .map(|name| {
                kind(name).ok_or_else(|| {
                    let known: Vec<_> = Kind::NAMES.iter().map(|(_, name)| *name).collect();
                    format!(
                        "no faults are called `{name}`: all, none, or some of {}",
                        known.join(",")
                    )
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// What happens to a device at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceFault {
    /// Its power is gone.
    Power {
        /// For so long.
        off: Duration,
        /// In the midst of what.
        cut: Cut,
        /// What its clock shows when it starts again.
        clock: BootClock,
    },
    /// Both daemons are killed and started again.
    Kill {
        /// In the midst of the next write to the spool, or at once.
        mid_write: bool,
    },
    /// The spool's files are gone while the daemons run.
    SpoolLost,
    /// The time of day is set by so much, as a program that keeps it does.
    Step {
        /// Milliseconds.
        millis: i64,
    },
}

/// In the midst of what the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Of nothing in particular.
    Plain,
    /// Of the next write to the spool: some of its bytes reached the card.
    MidWrite,
    /// Of the next upload: the server has stored it, the device will never know.
    MidUpload,
    /// Of nothing, but the card has lost pages of the spool's file.
    Damage(Loss),
}

impl Cut {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "power cut",
            Self::MidWrite => "power cut in a write",
            Self::MidUpload => "power cut in an upload",
            Self::Damage(Loss::Two) => "power cut, two pages of the spool lost",
            Self::Damage(_) => "power cut, a page of the spool lost",
        }
    }
}

/// What a clock without a battery shows when its machine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootClock {
    /// The true time, and it is known to be right: a battery.
    Right,
    /// 1970.
    Epoch,
    /// When it was shut down, to the hour (fake-hwclock).
    LastKnown,
    /// So many hours beside the true time.
    Hours(i64),
}

impl BootClock {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "boot with the right time",
            Self::Epoch => "boot in 1970",
            Self::LastKnown => "boot at the last known hour",
            Self::Hours(_) => "boot some hours off",
        }
    }
}

/// How a head fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The port is gone.
    Gone,
    /// The port is there, and nothing comes.
    Silent,
    /// Every telegram is damaged.
    Damaged,
    /// One telegram in three is damaged; this counts as readable.
    Slipped,
    /// The port does not give control back.
    Hangs,
}

impl Head {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Gone, Self::Silent, Self::Damaged, Self::Slipped, Self::Hangs];

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "head gone",
            Self::Silent => "head silent",
            Self::Damaged => "head slipped, all damaged",
            Self::Slipped => "head slipped, some damaged",
            Self::Hangs => "head hangs",
        }
    }
}

/// What requests are answered for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// 500.
    Broken,
    /// 503 with `Retry-After`.
    Unavailable,
    /// 429 with `Retry-After`.
    TooMany,
    /// Something that is no JSON, after the work was done.
    Garbage,
    /// Nothing, after the work was done.
    Late,
}

impl Weather {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Broken, Self::Unavailable, Self::TooMany, Self::Garbage, Self::Late];

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broken => "server answers 500 for a while",
            Self::Unavailable => "server answers 503 for a while",
            Self::TooMany => "server answers 429 for a while",
            Self::Garbage => "server answers garbage for a while",
            Self::Late => "server answers too late for a while",
        }
    }
}
