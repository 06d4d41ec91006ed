//! Checks a profile for contradictions that parsing does not find.
//!
//! Enters: a profile as read. Leaves: the first contradiction with the way to its place. Absent:
//! files and lines, which [`super::error`] finds.

mod refusal;
mod unlocking;

use ebp_core::{obis::ObisCode, phrase::counted, quantity::Unit};

use super::{
    Content, Profile, Quantity, Register, Registers, Status, Transport, error::Step,
    register::on_channel_0,
};
use refusal::{Checked, at, refuse};

/// The codes one of which an unlocked meter must send for the survey: power, in whichever form the
/// model has it, on whichever channel. `1-0:1.7.255*255` is EasyMeter Q3D's way to write 1.7.0.
const POWER: [ObisCode; 5] = [
    ObisCode::SUM_POWER,
    ObisCode::POSITIVE_POWER,
    ObisCode::NEGATIVE_POWER,
    ObisCode::ABSOLUTE_POWER,
    ObisCode([1, 0, 1, 7, 255, 255]),
];
/// The power of the first phase, which is all that a meter of one phase has.
const FIRST_PHASE_POWER: ObisCode = ObisCode([1, 0, 36, 7, 0, 255]);

pub(super) fn check(profile: &Profile) -> Checked {
    names(profile)?;
    line(profile)?;
    lock(profile)?;
    if let Some(locked) = &profile.locked {
        registers(profile, "locked", locked)?;
    }
    registers(profile, "unlocked", &profile.unlocked)?;
    let one_phase = profile.phases == Some(1);
    let is_power = |register: &Register| {
        let code = on_channel_0(register.obis);
        POWER.contains(&code) || (one_phase && code == FIRST_PHASE_POWER)
    };
    if !profile.unlocked.registers.iter().any(is_power) && profile.lock.is_none() {
        return refuse(
            at!["unlocked"],
            "an unlocked meter must send its power (16.7.0, 1.7.0, 2.7.0 or 15.7.0)",
        );
    }
    if let Some(pin_entry) = &profile.pin {
        unlocking::pin(pin_entry)?;
    }
    if let Some(relocking) = &profile.relock {
        unlocking::relock(profile, relocking)?;
    }
    for (index, note) in profile.quirks.iter().enumerate() {
        if profile.quirks[..index].iter().any(|other| other.name == note.name) {
            return refuse(at!["quirks", index, "name"], "this quirk occurs twice");
        }
    }
    sources(profile)
}

fn names(profile: &Profile) -> Checked {
    let valid = |name: &str| {
        !name.is_empty()
            && name.trim() == name
            && name.len() <= 64
            && name.chars().all(|c| c.is_ascii_graphic() || c == ' ')
    };
    if !valid(&profile.name) {
        return refuse(at!["name"], format!("`{}` cannot be typed as a name", profile.name));
    }
    for (index, alias) in profile.aliases.iter().enumerate() {
        if !valid(alias) {
            return refuse(at!["aliases", index], format!("`{alias}` cannot be typed as a name"));
        }
        let before = profile.names().take(index + 1);
        if before.into_iter().any(|name| name.eq_ignore_ascii_case(alias)) {
            return refuse(at!["aliases", index], format!("the name `{alias}` occurs twice"));
        }
    }
    Ok(())
}

fn line(profile: &Profile) -> Checked {
    let line = &profile.line;
    if !(300..=115_200).contains(&line.baud) {
        return refuse(at!["line", "baud"], "baud must be from 300 to 115200");
    }
    match (line.protocol, line.push_interval_ms) {
        (Transport::Sml | Transport::D0Push, None) => {
            return refuse(at!["line"], "a meter that pushes needs push_interval_ms");
        }
        (Transport::D0Request, Some(_)) => {
            return refuse(
                at!["line", "push_interval_ms"],
                "a meter that waits for requests has no push interval",
            );
        }
        (_, Some(ms)) if !(100..=3_600_000).contains(&ms) => {
            return refuse(
                at!["line", "push_interval_ms"],
                "push_interval_ms must be from 100 to 3600000",
            );
        }
        _ => {}
    }
    if profile.phases.is_some_and(|phases| phases != 1 && phases != 3) {
        return refuse(at!["phases"], "a meter has 1 or 3 phases");
    }
    if line.reply_baud.is_some() && !line.is_asked() {
        return refuse(
            at!["line", "reply_baud"],
            "only a meter that waits for requests changes its baud",
        );
    }
    if line.address.is_some() && !line.is_asked() {
        return refuse(
            at!["line", "address"],
            "only a meter that waits for requests has an address",
        );
    }
    let telegram = &profile.telegram;
    let ascii = line.protocol != Transport::Sml;
    match (ascii, &telegram.identification) {
        (true, None) => refuse(at!["telegram"], "an ASCII telegram needs its identification"),
        (false, Some(_)) => {
            refuse(at!["telegram", "identification"], "an SML telegram has no identification line")
        }
        (true, Some(text))
            if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
                || text.contains(['/', '!'])
                || text.len() < 4 =>
        {
            refuse(
                at!["telegram", "identification"],
                "an identification is FLAG id, baud digit and name, without slash and exclamation mark",
            )
        }
        _ => Ok(()),
    }
}

fn lock(profile: &Profile) -> Checked {
    if profile.lock.is_some() {
        return match (&profile.pin, &profile.relock) {
            (None, None) => Ok(()),
            _ => refuse(at!["lock"], "[lock] is for models whose [pin] is not known"),
        };
    }
    match (&profile.locked, &profile.pin, &profile.relock) {
        (Some(_), None, _) => refuse(at!["locked"], "a model that can be locked needs [pin]"),
        (Some(_), _, None) => refuse(at!["locked"], "a model that can be locked needs [relock]"),
        (None, Some(_), _) => {
            refuse(at!["pin"], "a model with a PIN needs [locked]: what it sends without")
        }
        (None, _, Some(_)) => {
            refuse(at!["relock"], "a model without [locked] does not lock itself again")
        }
        _ => Ok(()),
    }
}

fn registers(profile: &Profile, set: &'static str, registers: &Registers) -> Checked {
    if registers.registers.is_empty() {
        return refuse(at![set, "registers"], "a telegram without entries says nothing");
    }
    for (index, entry) in registers.registers.iter().enumerate() {
        let before = &registers.registers[..index];
        if before.iter().any(|other| other.obis == entry.obis) {
            return refuse(
                at![set, "registers", index, "obis"],
                format!("{} occurs twice", entry.obis),
            );
        }
        register(profile, set, index, entry)?;
        let power = entry.quantity().is_some_and(|quantity| quantity.unit() == Unit::WATT);
        if set == "locked" && power {
            return refuse(
                at![set, "registers", index, "obis"],
                format!("a locked meter does not send its power ({})", entry.obis),
            );
        }
    }
    Ok(())
}

fn register(profile: &Profile, set: &'static str, index: usize, entry: &Register) -> Checked {
    let here = |key: &'static str| at![set, "registers", index, key];
    let contents = [entry.content.is_some(), entry.integer.is_some(), entry.octets.is_some()];
    if contents.into_iter().filter(|&given| given).count() > 1 {
        return refuse(here("obis"), "content, integer and octets exclude each other");
    }
    let ascii = profile.line.protocol != Transport::Sml;
    if entry.is_number() {
        number(ascii, entry, &here)?;
    } else if entry.unit.is_some() || entry.scaler.is_some() || entry.width.is_some() {
        return refuse(here("obis"), "an entry that is no number has no unit, scaler or width");
    }
    if ascii && (entry.status.is_some() || entry.time || entry.content == Some(Content::Absent)) {
        return refuse(
            here("obis"),
            "an ASCII register has neither status nor time nor an absent value",
        );
    }
    if let Some(status) = &entry.status {
        status_word(status, &here)?;
    }
    Ok(())
}

fn number(ascii: bool, entry: &Register, here: &dyn Fn(&'static str) -> Vec<Step>) -> Checked {
    let obis = entry.obis;
    if entry.integer.is_none() {
        let Some(quantity) = Quantity::of_any_channel(obis) else {
            return refuse(
                here("obis"),
                format!(
                    "{obis} measures nothing that is known here: give content, integer or octets"
                ),
            );
        };
        let Some(unit) = entry.unit else {
            return refuse(here("obis"), format!("{obis} needs a unit"));
        };
        if unit != quantity.unit() {
            return refuse(here("unit"), format!("{obis} is not measured in {unit}"));
        }
        if entry.scaler.is_none() {
            return refuse(here("obis"), format!("{obis} needs a scaler"));
        }
        let directed = matches!(quantity, Quantity::Power { .. });
        if directed && !entry.signed && !ascii {
            return refuse(here("obis"), format!("{obis} can be negative: signed = true"));
        }
    }
    if let Some(scaler) = entry.scaler
        && !(-9..=6).contains(&scaler)
    {
        return refuse(here("scaler"), format!("the scaler {scaler} is not from -9 to 6"));
    }
    match (ascii, entry.width, &entry.ascii) {
        (false, None, _) => refuse(here("obis"), format!("{obis} needs a width, 1 to 8 bytes")),
        (false, Some(width), _) if !(1..=8).contains(&width) => {
            refuse(here("width"), format!("a width of {width} bytes is not from 1 to 8"))
        }
        (false, _, Some(_)) => refuse(here("ascii"), "an SML entry has no ASCII form"),
        (false, Some(width), None) => match entry.integer {
            Some(integer) if width < 8 && integer >> (8 * u32::from(width)) != 0 => refuse(
                here("integer"),
                format!("{integer} does not fit into {}", counted(width, "byte")),
            ),
            _ => Ok(()),
        },
        (true, _, None) => refuse(here("obis"), format!("{obis} needs its ASCII form")),
        (true, Some(_), _) => refuse(here("width"), "an ASCII number has digits, no width"),
        (true, None, Some(form)) => {
            let plain = entry.unit.and_then(Unit::symbol).unwrap_or_default();
            let kilo = entry.unit.and_then(Unit::kilo_symbol);
            let unnamed = form.kilo && form.unit.is_empty() && kilo.is_some();
            if form.unit != plain && Some(form.unit.as_str()) != kilo && !unnamed {
                return refuse(here("ascii"), format!("`{}` is not the unit of {obis}", form.unit));
            }
            let thousand = if unnamed || Some(form.unit.as_str()) == kilo { 3 } else { 0 };
            if entry.scaler.unwrap_or(0) > thousand {
                return refuse(here("scaler"), "an ASCII number cannot leave out its last digits");
            }
            if !(1..=18).contains(&form.digits) {
                return refuse(
                    here("ascii"),
                    "an ASCII number has 1 to 18 digits before its point",
                );
            }
            Ok(())
        }
    }
}

fn status_word(status: &Status, here: &dyn Fn(&'static str) -> Vec<Step>) -> Checked {
    if !(1..=8).contains(&status.width) {
        return refuse(
            here("status"),
            format!("a status of {} bytes is not from 1 to 8", status.width),
        );
    }
    let fits = |word: u64| status.width == 8 || word >> (8 * u32::from(status.width)) == 0;
    if fits(status.import) && status.export.is_none_or(fits) {
        Ok(())
    } else {
        refuse(
            here("status"),
            format!("the status does not fit into {}", counted(status.width, "byte")),
        )
    }
}

/// Each table says where its numbers are from; an empty text says nothing.
fn sources(profile: &Profile) -> Checked {
    let mut all = vec![
        (at!["line", "source"], &profile.line.source),
        (at!["telegram", "source"], &profile.telegram.source),
        (at!["unlocked", "source"], &profile.unlocked.source),
    ];
    all.extend(profile.locked.iter().map(|set| (at!["locked", "source"], &set.source)));
    all.extend(profile.relock.iter().map(|set| (at!["relock", "source"], &set.source)));
    all.extend(profile.pin.iter().map(|set| (at!["pin", "source"], &set.source)));
    all.extend(profile.lock.iter().map(|set| (at!["lock", "source"], &set.source)));
    if let Some(pin) = &profile.pin {
        all.extend(pin.tries_source.iter().map(|source| (at!["pin", "tries_source"], source)));
        all.extend(pin.menu.iter().map(|menu| (at!["pin", "menu", "source"], &menu.source)));
    }
    for (index, note) in profile.quirks.iter().enumerate() {
        all.push((at!["quirks", index, "source"], &note.source));
    }
    match all.into_iter().find(|(_, source)| source.trim().is_empty()) {
        Some((path, _)) => refuse(path, "a source must be named; \"assumed\" is an honest one"),
        None => Ok(()),
    }
}
