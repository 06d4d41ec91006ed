//! `ebp meter show`: all that is known of a model.
//!
//! Enters: a profile. Leaves: everything in it with its sources, and how it is unlocked in plain
//! words. Absent: any one meter.

use ebp_core::phrase::counted;
use ebp_meter::profile::{
    Blocking, Content, Interval, LockKind, Pin, Profile, Register, Registers, RelockBehaviour, Wake,
};

use crate::{
    command::models::Models,
    exit::{CommandResult, Failure},
    output::{ItemFormat, lines},
    stdout::print,
};

/// Which model, and how it is shown.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The model's name or alias, such as MT175.
    model: String,

    /// How it is printed.
    #[arg(long, value_enum, default_value_t = ItemFormat::Table)]
    format: ItemFormat,

    #[command(flatten)]
    models: Models,
}

/// Shows.
pub fn run(arguments: &Arguments) -> CommandResult {
    let profiles = arguments.models.load()?;
    let profile = profiles.get(&arguments.model)?;
    let text = match arguments.format {
        ItemFormat::Json => {
            let mut document = serde_json::to_value(&profile.document).map_err(Failure::failed)?;
            document["how_to_unlock"] = profile.how_to_unlock().into();
            document.to_string() + "\n"
        }
        ItemFormat::Table => page(profile),
    };
    print(&text)
}

fn page(profile: &Profile) -> String {
    let line = &profile.line;
    let mut speaks = format!("{} at {}", line.protocol.name(), line.settings());
    if let Some(interval) = line.push_interval() {
        speaks += &format!(", a telegram every {} s", interval.as_secs_f64());
    }
    if let Some(baud) = line.reply_baud {
        speaks += &format!(", answering at {baud}");
    }
    let mut text = lines(&[
        ("model", profile.name.clone()),
        ("also called", profile.aliases.join("\n")),
        ("maker", format!("{} ({})", profile.maker, profile.flag)),
        ("about", profile.about.clone()),
        ("line", with_source(&speaks, &line.source)),
        ("telegram", with_source(&telegram(profile), &profile.telegram.source)),
    ]);
    text += "\nhow to unlock\n";
    for sentence in profile.how_to_unlock() {
        text += &format!("  {sentence}\n");
    }
    if let Some(pin) = &profile.pin {
        text += "\nPIN entry\n";
        text += &indented(&timing(pin));
    }
    if let Some(relock) = &profile.relock {
        let words = profile.relock_in_words().unwrap_or_default();
        text += "\nstays unlocked\n";
        text += &indented(&with_source(words, &relock.source));
        if profile.keeps_unlocked() == Some(RelockBehaviour::KeepAlive) {
            text += &format!("  a press every {} s\n", profile.keep_alive_s());
        }
    }
    if let Some(lock) = &profile.lock {
        let kind = match lock.kind {
            LockKind::None => "none",
            LockKind::PinOfUnknownTiming => "a PIN, whose timing is unknown",
            LockKind::Operator => "a setting of the operator's",
        };
        text += "\nlock\n";
        text += &indented(&with_source(kind, &lock.source));
    }
    if let Some(locked) = &profile.locked {
        text += "\nsent while locked\n";
        text += &indented(&registers(locked));
    }
    text += if profile.locked.is_some() { "\nsent unlocked\n" } else { "\nsent\n" };
    text += &indented(&registers(&profile.unlocked));
    if !profile.quirks.is_empty() {
        text += "\nknown faults\n";
        for quirk in profile.document.get("quirks").and_then(|q| q.as_array()).into_iter().flatten()
        {
            let field = |key: &str| quirk.get(key).and_then(|v| v.as_str()).unwrap_or_default();
            text += &indented(&with_source(field("name"), field("source")));
        }
    }
    text
}

fn telegram(profile: &Profile) -> String {
    let telegram = &profile.telegram;
    let mut parts = Vec::new();
    parts.extend(telegram.identification.as_ref().map(|text| format!("begins with /{text}")));
    parts.extend(telegram.list_name.map(|name| format!("list {}", name.hex())));
    parts.push(format!(
        "identity {}",
        profile.document["telegram"]["server_id"].as_str().unwrap_or_default()
    ));
    if telegram.block_check {
        parts.push("with a block check character".to_owned());
    }
    parts.join(", ")
}

fn timing(pin: &Pin) -> String {
    let ms = |interval: &Interval| {
        let [from, to] = interval.accept_ms;
        let sent = format!(
            "{} ms, slower {} ms, taken from {from} to {to} ms",
            interval.send_ms, interval.slower_ms
        );
        with_source(&sent, &interval.source)
    };
    let mut rows = vec![
        ("digits", pin.digits.to_string()),
        ("presses to the first digit", waking(pin)),
        ("short press", ms(&pin.short_press)),
        ("long press", ms(&pin.long_press)),
        ("between presses", ms(&pin.between_presses)),
        ("after waking", ms(&pin.after_wake)),
        ("to the next digit", ms(&pin.next_digit)),
        ("back to normal", format!("{} s", pin.return_to_normal_s)),
        ("wrong PINs", wrong_pins(pin)),
    ];
    rows.extend(pin.between_wake.as_ref().map(|pause| ("between waking presses", ms(pause))));
    rows.extend(pin.blocked_s.map(|seconds| ("blocked for", format!("{seconds} s"))));
    if let Some(menu) = &pin.menu {
        let used = if menu.is_sourced() { "" } else { ", not used" };
        let presses = format!("{}{used}", menu.inf_presses);
        rows.push(("presses to InF", with_source(&presses, &menu.source)));
        rows.extend(menu.pin_presses.map(|presses| ("presses to PIN", presses.to_string())));
    }
    rows.push(("source", pin.source.clone()));
    lines(&rows)
}

fn waking(pin: &Pin) -> String {
    let kind = match pin.wake {
        Wake::Short => "short",
        Wake::Long => "long",
    };
    let mut text = format!("{} {kind}", pin.wake_presses);
    if pin.display_test_ms > 0 {
        text += &format!(", then a display test of {} ms", pin.display_test_ms);
    }
    text
}

fn wrong_pins(pin: &Pin) -> String {
    let source = pin.tries_source.as_deref().unwrap_or("assumed");
    let blocks = match pin.blocks {
        Blocking::Never => "block nothing".to_owned(),
        Blocking::Yes => format!("{} (assumed) block it for a time", pin.tries),
        Blocking::Unknown => format!("{} block it", pin.tries),
    };
    with_source(&format!("{blocks}, ebp stops after {}", pin.stop_at), source)
}

fn registers(set: &Registers) -> String {
    let rows: Vec<_> =
        set.registers.iter().map(|entry| (entry.obis.to_string(), register(entry))).collect();
    let mut rows: Vec<_> = rows.iter().map(|(code, text)| (code.as_str(), text.clone())).collect();
    rows.push(("source", set.source.clone()));
    lines(&rows)
}

fn register(entry: &Register) -> String {
    let mut parts = Vec::new();
    parts.extend(entry.content.map(|content| {
        match content {
            Content::Maker => "the maker's letters",
            Content::ServerId => "the meter's identity",
            Content::IdentityText => "the meter's identity as text",
            Content::SerialNumber => "the meter's number",
            Content::PublicKey => "the meter's public key",
            Content::OperatingSeconds => "seconds of operation",
            Content::Absent => "without a value",
        }
        .to_owned()
    }));
    parts.extend(entry.integer.map(|number| format!("always {number}")));
    parts.extend(entry.octets.as_ref().map(|_| "always the same bytes".to_owned()));
    parts.extend(entry.obis.name().filter(|_| entry.is_number()).map(str::to_owned));
    if let (Some(unit), Some(scaler)) = (entry.unit, entry.scaler) {
        parts.push(format!("in 10^{scaler} {unit}"));
    }
    if let Some(width) = entry.width {
        let sign = if entry.signed { "signed" } else { "unsigned" };
        let most = if entry.compact { "at most " } else { "" };
        parts.push(format!("{most}{} {sign}", counted(width, "byte")));
    }
    if entry.status.is_some() {
        parts.push("with a status word".to_owned());
    }
    let text = parts.join(", ");
    entry.source.as_ref().map_or(text.clone(), |source| with_source(&text, source))
}

fn with_source(text: &str, source: &str) -> String {
    format!("{text} [{source}]")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
