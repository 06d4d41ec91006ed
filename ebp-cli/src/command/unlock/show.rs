//! Output of unlocking: progress, and the result.
//!
//! Enters: [`Progress`], [`Unlocked`] or a failure. Leaves: a bar on a terminal, lines in a pipe,
//! and the result on standard output. Absent: the PIN, and the number of presses, which would
//! reveal it.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use ebp_core::model::MeasurementData;
use ebp_meter::{
    lock::Lock,
    port::PortName,
    profile::Profile,
    unlock::{InfSwitch, Keep, Lasting, Phase, Progress, UnlockError, Unlocked, Variant},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    exit::{CommandResult, Failure},
    output::{ItemFormat, lines},
    stdout::print,
    tell::tell,
};

/// Progress for people.
pub struct Shown {
    bar: Option<ProgressBar>,
    digits: u64,
    last: String,
}

impl Shown {
    /// A bar of the digits on a terminal; in a pipe a line for each new thing.
    pub fn new(profile: &Profile) -> Self {
        let digits = profile.pin.as_ref().map_or(4, |pin| pin.digits).into();
        let bar = io::stderr().is_terminal().then(|| {
            // Waking, the digits, verifying, InF.
            let bar = ProgressBar::new(digits + 3);
            if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:20}] {msg}  {elapsed}")
            {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, digits, last: String::new() }
    }

    /// Lines even on a terminal: questions come in between.
    pub fn lines() -> Self {
        Self { bar: None, digits: 0, last: String::new() }
    }

    /// Something is in progress.
    pub fn tell(&mut self, progress: &Progress) {
        let line = progress.to_string();
        if line == self.last {
            return;
        }
        match &self.bar {
            Some(bar) => {
                if let Some(at) = self.place(progress) {
                    bar.set_position(at);
                }
                bar.set_message(line.clone());
            }
            None => tell!("ebp: {line}"),
        }
        self.last = line;
    }

    fn place(&self, progress: &Progress) -> Option<u64> {
        Some(match progress {
            Progress::Step { phase: Phase::Wake, .. } | Progress::Try { .. } => 0,
            Progress::Step { phase: Phase::Digit { number, .. }, .. } => {
                u64::try_from(*number).unwrap_or(0)
            }
            Progress::Verifying => self.digits + 1,
            Progress::SwitchingInf => self.digits + 2,
            Progress::Confirming { .. } => self.digits + 3,
            _ => return None,
        })
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The name of a variant in JSON.
pub const fn variant_name(variant: Variant) -> &'static str {
    match variant {
        Variant::Normal => "normal",
        Variant::Slower => "slower",
    }
}

/// A meter that was not unlocked.
pub struct NotDone {
    failure: Failure,
    /// What it holds back, where trying has shown it.
    lock: Option<Lock>,
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self { failure, lock: None }
    }
}

impl From<UnlockError> for NotDone {
    fn from(error: UnlockError) -> Self {
        Self { lock: error.lock(), failure: error.into() }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    port: String,
    unlocked: bool,
    /// What the meter holds back, where that is known now.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<Lock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    already: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<&'static str>,
    /// For how long after the last press details were seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_s: Option<u64>,
    /// What the long press at InF did.
    #[serde(skip_serializing_if = "Option::is_none")]
    inf: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<MeasurementData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Prints what came of it, and hands a failure on.
pub fn result(
    format: ItemFormat,
    profile: &Profile,
    port: &PortName,
    result: Result<Unlocked, NotDone>,
) -> CommandResult {
    let text = match (format, &result) {
        (ItemFormat::Table, Err(_)) => String::new(),
        (ItemFormat::Table, Ok(unlocked)) => table(profile, port, unlocked),
        (ItemFormat::Json, result) => {
            serde_json::to_string(&report(profile, port, result)).map_err(Failure::failed)? + "\n"
        }
    };
    print(&text)?;
    let unlocked = result.map_err(|not_done| not_done.failure)?;
    match warning(&unlocked) {
        Some(warning) if unlocked.inf == InfSwitch::WithoutEffect => Err(Failure::failed(
            "the long press had no effect on the details: another item of the menu may have been changed",
        )
        .remedy(warning)),
        Some(warning) => {
            tell!("ebp: {warning}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Why no long press is sent to InF on this model.
pub fn untouched(profile: &Profile) -> String {
    format!(
        "no source names its position in the menu of {}, so no long press is sent; `ebp unlock --step` \
         switches it on together with you",
        profile.name
    )
}

/// What the owner must know beside the result.
fn warning(unlocked: &Unlocked) -> Option<String> {
    if unlocked.pin_was_needless {
        return Some(
            "this meter asks for no PIN: its PIN query is off, so that everybody can read its history on \
             the display. If you did not want that, walk to the item PIN of the list by short presses and \
             hold the light there for more than 5 s"
                .to_owned(),
        );
    }
    (unlocked.inf == InfSwitch::WithoutEffect).then(|| {
        "look at the display: wake it as for the PIN; if the menu appears without PIN entry, \
         the PIN query was switched off, and a light of more than 5 s at the item PIN switches it on again; \
         see whether E and the history (HIS) are still there; find InF with `ebp unlock --step`"
            .to_owned()
    })
}

fn report<'a>(
    profile: &'a Profile,
    port: &PortName,
    result: &Result<Unlocked, NotDone>,
) -> Report<'a> {
    let unlocked = result.as_ref().ok();
    let not_done = result.as_ref().err();
    let failure = not_done.map(|not_done| &not_done.failure);
    let is_open = |unlocked: &Unlocked| unlocked.inf != InfSwitch::WithoutEffect;
    Report {
        model: &profile.name,
        port: port.to_string(),
        unlocked: unlocked.is_some_and(is_open),
        lock: match not_done {
            Some(not_done) => not_done.lock,
            None => unlocked.filter(|unlocked| is_open(unlocked)).map(|_| Lock::Open),
        },
        already: unlocked.map(|unlocked| unlocked.already),
        variant: unlocked.and_then(|unlocked| unlocked.variant).map(variant_name),
        lasting: unlocked.map(|unlocked| match unlocked.lasting {
            Lasting::Permanent => "permanent",
            Lasting::WhileOpen(_) => "while-open",
            Lasting::Unknown => "unknown",
        }),
        seen_s: unlocked.and_then(|unlocked| unlocked.seen).map(|seen| seen.as_secs()),
        inf: unlocked.and_then(|unlocked| match unlocked.inf {
            InfSwitch::Untouched => None,
            InfSwitch::On => Some("on"),
            InfSwitch::WithoutEffect => Some("without-effect"),
            InfSwitch::Unseen => Some("unseen"),
        }),
        warning: unlocked.and_then(warning),
        keep: unlocked.and_then(|unlocked| Keep::for_profile(profile, unlocked.lasting)).map(
            |keep| match keep {
                Keep::Permanent => "permanent",
                Keep::Press { .. } => "press",
                Keep::PinPerReading { .. } => "pin-per-reading",
            },
        ),
        values: unlocked.map(|unlocked| unlocked.readout.survey()),
        error: failure.map(|failure| failure.message.clone()),
        remedy: failure.and_then(|failure| failure.remedy.clone()),
    }
}

fn table(profile: &Profile, port: &PortName, unlocked: &Unlocked) -> String {
    let how = match (unlocked.already, unlocked.variant) {
        _ if unlocked.inf == InfSwitch::WithoutEffect => {
            "it showed its details, and does no longer"
        }
        (true, _) => "it showed its details already; nothing was done",
        (false, Some(Variant::Slower)) => "it shows its details, after the slower try",
        (false, _) => "it shows its details",
    };
    let mut rows =
        vec![("meter", format!("{} at {port}", profile.name)), ("unlocked", how.to_owned())];
    let seen = unlocked.seen.map(|seen| seen.as_secs());
    let seen = seen.map_or_else(String::new, |s| format!("seen for {s} s after the last press"));
    let lasting = match (unlocked.lasting, Keep::for_profile(profile, unlocked.lasting)) {
        (Lasting::Permanent, _) => {
            format!(
                "{seen}, longer than the menu is open: InF is on, usually until a power failure"
            )
        }
        (Lasting::WhileOpen(open), Some(Keep::Press { every, .. })) => with(
            &seen,
            &format!(
                "by the model's profile until {} s after it; a press every {} s keeps them \
                 (`ebp read --every` sends it)",
                open.as_secs(),
                every.as_secs()
            ),
        ),
        (Lasting::WhileOpen(open), _) => with(
            &seen,
            &format!(
                "by the model's profile until {} s after it; then it needs the PIN again",
                open.as_secs()
            ),
        ),
        (Lasting::Unknown, _) => seen,
    };
    rows.push(("lasts", lasting));
    if unlocked.inf == InfSwitch::Untouched && matches!(unlocked.lasting, Lasting::WhileOpen(_)) {
        rows.push(("InF", untouched(profile)));
    }
    let values: Vec<_> = unlocked
        .readout
        .figures()
        .iter()
        .map(|figure| {
            let unit = figure.unit().kilo_symbol().unwrap_or_default();
            (figure.obis.to_string(), format!("{} {unit}", figure.value))
        })
        .collect();
    rows.extend(values.iter().map(|(code, value)| (code.as_str(), value.clone())));
    lines(&rows)
}

/// What was seen, then what is said of the time after the last press.
fn with(seen: &str, said: &str) -> String {
    if seen.is_empty() {
        format!("seen after the last press; {said}")
    } else {
        format!("{seen}; {said}")
    }
}
