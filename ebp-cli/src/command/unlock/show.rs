//! How unlocking looks: progress while it goes on, and its result.
//!
//! Enters: [`Progress`], [`Unlocked`] or a failure. Leaves: a bar on a terminal, lines in a pipe, and
//! the result on standard output. Absent: the PIN, and counts of presses, which would tell it.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use ebp_core::model::MeasurementData;
use ebp_meter::{
    port::PortName,
    profile::Profile,
    unlock::{Keep, Lasting, Phase, Progress, Unlocked, Variant},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    exit::{Failure, Outcome},
    output::{Shape, lines},
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

    /// Something goes on.
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

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    port: String,
    unlocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    already: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting: Option<&'static str>,
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
    format: Shape,
    profile: &Profile,
    port: &PortName,
    result: Result<Unlocked, Failure>,
) -> Outcome {
    let text = match (format, &result) {
        (Shape::Table, Err(_)) => String::new(),
        (Shape::Table, Ok(unlocked)) => table(profile, port, unlocked),
        (Shape::Json, result) => {
            serde_json::to_string(&report(profile, port, result)).map_err(Failure::failed)? + "\n"
        }
    };
    print(&text)?;
    result.map(drop)
}

fn report<'a>(
    profile: &'a Profile,
    port: &PortName,
    result: &Result<Unlocked, Failure>,
) -> Report<'a> {
    let unlocked = result.as_ref().ok();
    let failure = result.as_ref().err();
    Report {
        model: &profile.name,
        port: port.to_string(),
        unlocked: unlocked.is_some(),
        already: unlocked.map(|unlocked| unlocked.already),
        variant: unlocked.and_then(|unlocked| unlocked.variant).map(variant_name),
        lasting: unlocked.map(|unlocked| match unlocked.lasting {
            Lasting::Permanent => "permanent",
            Lasting::WhileOpen(_) => "while-open",
            Lasting::Unknown => "unknown",
        }),
        keep: unlocked.and_then(|unlocked| Keep::of(profile, unlocked.lasting)).map(|keep| {
            match keep {
                Keep::Permanent => "permanent",
                Keep::Press { .. } => "press",
                Keep::PinPerReading { .. } => "pin-per-reading",
            }
        }),
        values: unlocked.map(|unlocked| unlocked.readout.survey()),
        error: failure.map(|failure| failure.message.clone()),
        remedy: failure.and_then(|failure| failure.remedy.clone()),
    }
}

fn table(profile: &Profile, port: &PortName, unlocked: &Unlocked) -> String {
    let how = match (unlocked.already, unlocked.variant) {
        (true, _) => "it showed its details already; nothing was done",
        (false, Some(Variant::Slower)) => "it shows its details, after the slower try",
        (false, _) => "it shows its details",
    };
    let mut rows =
        vec![("meter", format!("{} at {port}", profile.name)), ("unlocked", how.to_owned())];
    let lasting = match (unlocked.lasting, Keep::of(profile, unlocked.lasting)) {
        (Lasting::Permanent, _) => "until a power failure (InF is on)".to_owned(),
        (Lasting::WhileOpen(open), Some(Keep::Press { every, .. })) => format!(
            "{} s after the last press; a press every {} s keeps it",
            open.as_secs(),
            every.as_secs()
        ),
        (Lasting::WhileOpen(open), _) => {
            format!("{} s after the last press; then it needs the PIN again", open.as_secs())
        }
        (Lasting::Unknown, _) => String::new(),
    };
    rows.push(("lasts", lasting));
    let values: Vec<_> = unlocked
        .readout
        .figures()
        .iter()
        .map(|figure| {
            let unit = if figure.obis.0[3] == 8 { "kWh" } else { "kW" };
            (figure.obis.to_string(), format!("{} {unit}", figure.value))
        })
        .collect();
    rows.extend(values.iter().map(|(code, value)| (code.as_str(), value.clone())));
    lines(&rows)
}
