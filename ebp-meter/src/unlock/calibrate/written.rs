//! The text of a profile, made of what calibration found.
//!
//! Enters: a [`Finding`], one telegram, how the meter speaks. Leaves: TOML that is read back here.
//! Absent: files.

use std::{fmt::Write as _, time::Duration};

use ebp_core::{obis::ObisCode, quantity::Unit};

use super::{CalibrateError, Finding, send_ms};
use crate::{
    port::{Framing, LineSettings},
    profile::{Profile, Quantity},
    readout::{Protocol, Readout, ServerId},
};

impl Finding {
    /// The text of a profile: the timing as found, the registers as a locked telegram showed them,
    /// the rest marked as assumed.
    ///
    /// # Errors
    /// Returns [`CalibrateError::Profile`] for a name that cannot be one.
    pub fn profile(
        &self,
        name: &str,
        readout: &Readout,
        line: LineSettings,
        push_interval: Option<Duration>,
    ) -> Result<String, CalibrateError> {
        let mut text = head(name, readout, line, push_interval);
        let energies = energies(readout);
        let ascii = readout.protocol == Protocol::D0;
        text += "[locked]\nsource = \"a telegram of the owner's meter\"\nregisters = [\n";
        text += &identity(readout);
        for &(obis, scaler) in &energies {
            text += &energy(obis, scaler, ascii);
        }
        text += "]\n\n[unlocked]\nsource = \"assumed: as locked, with decimals and power\"\n";
        text += "registers = [\n";
        text += &identity(readout);
        for &(obis, _) in &energies {
            text += &energy(obis, -1, ascii);
        }
        text += if ascii {
            "    { obis = \"1-0:16.7.0*255\", unit = \"W\", scaler = 0, ascii = { unit = \"W\", digits = 6 } },\n"
        } else {
            "    { obis = \"1-0:16.7.0*255\", unit = \"W\", scaler = 0, width = 4, signed = true },\n"
        };
        text += "]\n\n";
        text += &self.pin();
        // What is written here must be readable here.
        Profile::parse(&format!("{name}.toml"), &text)?;
        Ok(text)
    }

    fn pin(&self) -> String {
        let period = self.period_ms;
        let press = send_ms(self.shortest_press_ms);
        let longest = (press * 3 / 2).max(2000);
        let found = "found by calibration";
        let (short_from, long_from) = match self.long_wake_ms {
            None => (found, "assumed: common practice among owners"),
            Some(_) => ("assumed: the presses that wake this meter are long", found),
        };
        let long = self.long_wake_ms.unwrap_or(5500).max(longest + 1000);
        let intervals = [
            ("short_press", press, press * 3 / 2, [self.shortest_press_ms, longest], short_from),
            ("long_press", long, long + 1000, [5000.max(longest + 500), 20_000], long_from),
            ("between_presses", 300, 500, [100, period - 100], "assumed"),
            ("after_wake", period / 3, period / 2, [200, period - 100], "assumed"),
            ("next_digit", period * 5 / 4, period * 7 / 5, [period, period * 2 - 100], found),
        ];
        let mut text = format!("[pin]\ndigits = 4\nwake_presses = {}\n", self.wake_presses);
        if self.long_wake_ms.is_some() {
            text += "wake = \"long\"\n";
        }
        for (key, send, slower, accept, source) in intervals {
            let _ = writeln!(
                text,
                "{key} = {{ send_ms = {send}, slower_ms = {slower}, accept_ms = {accept:?}, source = \"{source}\" }}"
            );
        }
        text += "return_to_normal_s = 120\ntries = 3\nstop_at = 2\n";
        text += "source = \"found by calibration; return to normal and tries are assumed\"\n\n";
        let (menu, behaviour) = match self.inf_presses {
            Some(presses) => (
                format!("[pin.menu]\ninf_presses = {presses}\nsource = \"{found}\"\n\n"),
                "permanent",
            ),
            None => (String::new(), "per_reading"),
        };
        text += &menu;
        let _ = writeln!(text, "[relock]\nbehaviour = \"{behaviour}\"\nsource = \"assumed\"");
        text
    }
}

fn head(
    name: &str,
    readout: &Readout,
    line: LineSettings,
    push_interval: Option<Duration>,
) -> String {
    let maker = readout
        .manufacturer
        .or_else(|| readout.server_id.as_ref().and_then(ServerId::manufacturer));
    let maker = maker.as_deref().unwrap_or("XXX");
    let quoted = toml::Value::String(name.to_owned());
    let framing = match line.framing {
        Framing::EightNone => "8N1",
        Framing::SevenEven => "7E1",
    };
    let ascii = readout.protocol == Protocol::D0;
    let protocol = match (ascii, push_interval) {
        (false, _) => "sml",
        (true, Some(_)) => "d0-push",
        (true, None) => "d0-request",
    };
    let push = match push_interval {
        None if ascii => String::new(),
        interval => {
            let ms = interval.map_or(2000, |interval| interval.as_millis().clamp(100, 3_600_000));
            format!("push_interval_ms = {ms}\n")
        }
    };
    let identification =
        if ascii { format!("identification = \"{maker}5UNKNOWN\"\n") } else { String::new() };
    format!(
        "name = {quoted}\nmaker = \"{maker}\"\nflag = \"{maker}\"\n\n\
         [line]\nprotocol = \"{protocol}\"\nbaud = {}\nframing = \"{framing}\"\n{push}\
         source = \"the owner's meter\"\n\n\
         [telegram]\nserver_id = \"din43863-5\"\n{identification}source = \"assumed\"\n\n",
        line.baud
    )
}

fn identity(readout: &Readout) -> String {
    let known = [ObisCode::DEVICE_ID, ObisCode::SERVER_ID]
        .into_iter()
        .find(|&obis| readout.entry(obis).is_some());
    known.map_or_else(String::new, |obis| {
        format!("    {{ obis = \"{obis}\", content = \"server-id\" }},\n")
    })
}

/// Each energy once with its scaler; a meter that shows none has the one that every meter has.
fn energies(readout: &Readout) -> Vec<(ObisCode, i8)> {
    let mut energies: Vec<(ObisCode, i8)> = Vec::new();
    for entry in &readout.entries {
        let is_energy = Quantity::from_obis(entry.obis)
            .is_some_and(|quantity| quantity.unit() == Unit::WATT_HOUR);
        if is_energy && energies.iter().all(|(obis, _)| *obis != entry.obis) {
            energies.push((entry.obis, entry.scaler.clamp(-4, 3)));
        }
    }
    if energies.is_empty() {
        energies.push((ObisCode::POSITIVE_ENERGY, 3));
    }
    energies
}

fn energy(obis: ObisCode, scaler: i8, ascii: bool) -> String {
    let form = if ascii { "ascii = { unit = \"kWh\", digits = 8 }" } else { "width = 8" };
    format!("    {{ obis = \"{obis}\", unit = \"Wh\", scaler = {scaler}, {form} }},\n")
}
