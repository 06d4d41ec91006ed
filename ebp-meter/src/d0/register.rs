//! Registers: `address(value*unit)`, one or several to a line.
//!
//! Enters: a line of printable ASCII. Leaves: entries with exact numbers in DLMS units. Absent:
//! framing. Where a part cannot be read, it is left out; the rest stays.

use ebp_core::{obis::ObisCode, quantity::Unit};
use smallvec::SmallVec;

use crate::readout::{Entry, Unaddressed, Value};

/// A telegram's registers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Registers {
    /// Those with an OBIS code.
    pub entries: Vec<Entry>,
    /// Registers whose address is not an OBIS code.
    pub unaddressed: Vec<Unaddressed>,
}

/// Reads all registers of a telegram.
pub(super) fn read(text: &str) -> Registers {
    let mut registers = Registers::default();
    for line in text.lines() {
        registers.line(line);
    }
    registers
}

impl Registers {
    /// Reads a line's registers, each an address and one or several values.
    fn line(&mut self, line: &str) {
        let mut rest = line;
        while let Some((address, mut behind)) = rest.split_once('(') {
            let mut texts = SmallVec::<[&str; 2]>::new();
            while let Some((text, after)) = behind.split_once(')') {
                texts.push(text.trim());
                rest = after;
                match after.trim_start().strip_prefix('(') {
                    Some(further) => behind = further,
                    None => break,
                }
            }
            if !behind.contains(')') {
                // The line was cut within a value.
                rest = "";
            }
            self.register(address.trim(), &texts);
        }
    }

    /// A further value behind an address (the time of a maximum) becomes a further entry of that
    /// address. Where one of them has a unit, a number without one is such a time.
    fn register(&mut self, address: &str, texts: &[&str]) {
        let Some(obis) = parse_address(address) else {
            let unaddressed =
                |text: &&str| Unaddressed { address: address.to_owned(), text: (*text).to_owned() };
            return self.unaddressed.extend(texts.iter().map(unaddressed));
        };
        let first = self.entries.len();
        self.entries.extend(texts.iter().map(|text| entry(obis, text)));
        let own = &mut self.entries[first..];
        if own.len() < 2 || own.iter().all(|entry| entry.unit.is_none()) {
            return;
        }
        for (entry, text) in own.iter_mut().zip(texts) {
            if entry.unit.is_none() && matches!(entry.value, Value::Integer(_)) {
                (entry.value, entry.scaler) = (Value::Octets(text.as_bytes().into()), 0);
            }
        }
    }
}

/// `1-0:1.8.0*255` and its short forms down to `1.8`, with `&` for a reading stored by hand and the
/// letters of IEC 62056-61 for groups above 95 (`F.F` is the error register, 97.97).
pub(crate) fn parse_address(text: &str) -> Option<ObisCode> {
    let (medium, rest) = text.split_once(':').unwrap_or(("1-0", text));
    let (medium, channel) = medium.split_once('-')?;
    let (groups, storage) = rest.split_once(['*', '&']).unwrap_or((rest, "255"));
    let mut groups = groups.split('.');
    let (c, d) = (group(groups.next()?)?, group(groups.next()?)?);
    let e = groups.next().map_or(Some(0), group)?;
    if groups.next().is_some() {
        return None;
    }
    let (a, b, f) = (number(medium)?, number(channel)?, number(storage)?);
    // EasyMeter Q3D up to V3.03 says 1.7.255 where V3.04 says 1.7.0: a power has no tariff.
    let e = if d == 7 && e == 255 { 0 } else { e };
    Some(ObisCode([a, b, c, d, e, f]))
}

fn group(text: &str) -> Option<u8> {
    match text {
        "C" => Some(96),
        "F" => Some(97),
        "L" => Some(98),
        "P" => Some(99),
        _ => number(text),
    }
}

fn number(text: &str) -> Option<u8> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn entry(obis: ObisCode, text: &str) -> Entry {
    let (value, unit, scaler) = value(obis, text);
    Entry { obis, value, unit, scaler, status: None, time: None, corrected: None }
}

fn value(obis: ObisCode, text: &str) -> (Value, Option<Unit>, i8) {
    if text.is_empty() {
        return (Value::Absent, None, 0);
    }
    let as_text = || (Value::Octets(text.as_bytes().into()), None, 0);
    let Some((digits, symbol)) = text.split_once('*') else {
        // Without a unit, only what measures electricity is a number: identifiers, clocks and
        // status words are digits, too.
        return match decimal(text) {
            Some((integer, scaler)) if (1..=95).contains(&obis.0[2]) => {
                (Value::Integer(integer), None, scaler)
            }
            _ => as_text(),
        };
    };
    match (decimal(digits.trim()), unit(symbol.trim())) {
        (Some((integer, scaler)), Some((unit, power))) => {
            (Value::Integer(integer), Some(unit), scaler + power)
        }
        _ => as_text(),
    }
}

/// `-000123.45` as -12345 and -2. At most 30 digits, which always fit.
fn decimal(text: &str) -> Option<(i128, i8)> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let count = whole.len() + fraction.len();
    if whole.is_empty() || count > 30 {
        return None;
    }
    let mut integer = 0_i128;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        integer = integer * 10 + i128::from(byte - b'0');
    }
    let scaler = -i8::try_from(fraction.len()).ok()?;
    Some((if negative { -integer } else { integer }, scaler))
}

/// A unit's symbol as its DLMS code and power of ten. Meters differ in capitals (`kWh`, `KWh`,
/// `kVAr`, `kvar`), so it only distinguishes the prefixes mega and milli.
fn unit(symbol: &str) -> Option<(Unit, i8)> {
    if let Some(unit) = base_unit(symbol) {
        return Some((unit, 0));
    }
    let power = match symbol.as_bytes().first()? {
        b'k' | b'K' => 3,
        b'M' => 6,
        b'm' => -3,
        _ => return None,
    };
    Some((base_unit(symbol.get(1..)?)?, power))
}

fn base_unit(symbol: &str) -> Option<Unit> {
    Some(match symbol.to_ascii_lowercase().as_str() {
        "w" => Unit::WATT,
        "wh" => Unit::WATT_HOUR,
        "va" => Unit::VOLT_AMPERE,
        "vah" => Unit::VOLT_AMPERE_HOUR,
        "var" => Unit::VAR,
        "varh" => Unit::VAR_HOUR,
        "a" => Unit::AMPERE,
        "v" => Unit::VOLT,
        "hz" => Unit::HERTZ,
        "deg" | "grad" => Unit::DEGREE,
        "s" => Unit(7),
        "h" => Unit(6),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<Entry> {
        read(text).entries
    }

    fn one(line: &str) -> Entry {
        let mut entries = entries(line);
        assert_eq!(entries.len(), 1, "{line}");
        entries.remove(0)
    }

    #[test]
    fn numbers_are_exact_in_dlms_units() {
        for (line, exact, unit, readable) in [
            ("1-0:1.8.0*255(000125.25688570*kWh)", "125256.8857", Unit::WATT_HOUR, "125.2568857"),
            ("1-0:16.7.0*255(-000458.90*W)", "-458.9", Unit::WATT, "-0.4589"),
            ("1.7.0(0.015*kW)", "15", Unit::WATT, "0.015"),
            ("32.7.0( 232.4 * V )", "232.4", Unit::VOLT, "232.4"),
            ("3.8.0(12,5*kvarh)", "12500", Unit::VAR_HOUR, "12.5"),
            ("1.8.1(1*MWh)", "1000000", Unit::WATT_HOUR, "1000"),
            ("31.7.0(250*mA)", "0.25", Unit::AMPERE, "0.25"),
            ("14.7(50.01*Hz)", "50.01", Unit::HERTZ, "50.01"),
            ("9.8.0(7*KVAh)", "7000", Unit::VOLT_AMPERE_HOUR, "7"),
            ("1.8.0(5.*kWh)", "5000", Unit::WATT_HOUR, "5"),
        ] {
            let entry = one(line);
            assert_eq!(entry.exact().unwrap().to_string(), exact, "{line}");
            assert_eq!(entry.unit, Some(unit), "{line}");
            assert_eq!(entry.readable().unwrap().to_string(), readable, "{line}");
        }
    }

    #[test]
    fn addresses_long_and_short() {
        for (address, code) in [
            ("1-0:1.8.0*255", [1, 0, 1, 8, 0, 255]),
            ("1.8.0", [1, 0, 1, 8, 0, 255]),
            ("1.8", [1, 0, 1, 8, 0, 255]),
            ("1.8.1*03", [1, 0, 1, 8, 1, 3]),
            ("1.8.1&12", [1, 0, 1, 8, 1, 12]),
            ("0-0:96.1.255*255", [0, 0, 96, 1, 255, 255]),
            ("1-0:1.7.255*255", [1, 0, 1, 7, 0, 255]),
            ("F.F", [1, 0, 97, 97, 0, 255]),
            ("C.1.0", [1, 0, 96, 1, 0, 255]),
        ] {
            assert_eq!(one(&format!("{address}(1)")).obis, ObisCode(code), "{address}");
        }
        for address in ["", "1", "1-081.8.0*255", "1.8.0.0", "256.8.0", "x.y", "1-:1.8.0", "+1.8.0"]
        {
            assert_eq!(entries(&format!("{address}(1)")), [], "{address}");
        }
    }

    #[test]
    fn what_is_no_quantity_stays_text() {
        for line in [
            "0.0.0(12345678)",
            "1-0:96.5.0*255(001C0104)",
            "0.9.1(123456)",
            "1.8.0(x*kWh)",
            "1.8.0(7*Joule)",
        ] {
            assert!(matches!(one(line).value, Value::Octets(_)), "{line}");
            assert_eq!(one(line).exact(), None);
        }
        assert_eq!(one("1.8.0()").value, Value::Absent);
        let unitless = one("1.8.0(000123.4)");
        assert_eq!((unitless.value, unitless.unit), (Value::Integer(1234), None));
        assert!(matches!(one(&format!("1.8.0({}*kWh)", "9".repeat(31))).value, Value::Octets(_)));
    }

    #[test]
    fn several_in_a_line() {
        let read = entries("1.8.1(1*kWh)1.8.2(2*kWh)1.6.1(3.4*kW)(2026-01-31 12:00)");
        let codes: Vec<String> = read.iter().map(|entry| entry.obis.short()).collect();
        assert_eq!(codes, ["1.8.1", "1.8.2", "1.6.1", "1.6.1"]);
        assert!(matches!(read[3].value, Value::Octets(_)));
        assert_eq!(entries("1.8.1(1*kWh)1.8.2(2*k").len(), 1, "a cut line keeps its beginning");
        assert_eq!(entries("(5)"), [], "a value without an address");
        assert_eq!(entries("1.8.1(1*kWh)(2*k").len(), 1);
    }

    /// MT174 writes the time of a maximum behind it (smartmeter-obis, its test
    /// `testSerialRequestResponseD0WithAck2.js`), DSMR before it. Energies without a unit stay numbers (Pafal).
    #[test]
    fn a_time_beside_a_value_is_no_value() {
        let values = |line: &str| entries(line).into_iter().map(|e| e.value).collect::<Vec<_>>();
        let text = |text: &str| Value::Octets(text.as_bytes().into());
        let time = text("1703100930");
        assert_eq!(values("1.6.0(02.468*kW)(1703100930)"), [Value::Integer(2468), time.clone()]);
        assert_eq!(values("1.8.1(1703100930)(4.5*kWh)"), [time, Value::Integer(45)]);
        assert_eq!(values("1.8.0*00(5)(6)"), [5, 6].map(Value::Integer));
        assert_eq!(values("1.8.1(7)1.8.2(8*kWh)"), [7, 8].map(Value::Integer), "two addresses");
    }
}
