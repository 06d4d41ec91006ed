//! A check finds sets that were changed by somebody who made every hash anew: rows that cannot be,
//! descriptions of other files, lists that do not list what is there.

use std::{fs, os::unix::fs::symlink, path::Path};

use ebp_dataset::files::{Decimal, Format, Value};

use crate::{
    dataset::{at, household, insert, make, order, steady},
    tamper::{Copy, Rows},
    world::World,
};

crate::on_both!(forged_sets_are_found);

const FORMAT: Format = Format::Csv(Decimal::Comma);
const MONTH: &str = "2026-06";
const NOON: &str = "2026-06-15T12:00:00Z";
/// Readings are missing in these quarter hours.
const GAP: (&str, &str) = ("2026-06-15T09:10:00Z", "2026-06-15T09:40:00Z");

fn instant(text: &str) -> Value {
    Value::Instant(at(text).as_microsecond())
}

/// Tries at a set.
struct Forger<'a> {
    set: &'a Path,
}

impl Forger<'_> {
    /// Changes a file's first row that has all of these values.
    fn row(&self, stem: &str, of: &[Value], change: impl FnOnce(&mut Vec<Value>), finding: &str) {
        let change = |rows: &mut Rows| {
            let is_it = |row: &&mut Vec<Value>| of.iter().all(|value| row.contains(value));
            change(rows.iter_mut().find(is_it).unwrap());
        };
        self.rows(stem, change, finding);
    }

    fn rows(&self, stem: &str, change: impl FnOnce(&mut Rows), finding: &str) {
        let copy = Copy::from_set(self.set, FORMAT);
        copy.change(stem, change);
        copy.seal();
        copy.expect(finding);
    }

    /// Changes a file as text; its hash is made right, unless it is the list of them.
    fn text(&self, name: &str, (from, to): (&str, &str), finding: &str) {
        let copy = Copy::from_set(self.set, FORMAT);
        copy.change_text(name, |text| text.replacen(from, to, 1));
        match name {
            "SHA256SUMS" => {}
            "EXPORT.json" | "datapackage.json" => copy.sum(),
            _ => copy.seal(),
        }
        copy.expect(finding);
    }

    fn files(&self, change: impl FnOnce(&Copy), finding: &str) {
        let copy = Copy::from_set(self.set, FORMAT);
        change(&copy);
        copy.expect(finding);
    }
}

async fn forged_sets_are_found(world: World) {
    let store = world.survey.store();
    let ends = (at("2026-06-14T22:00:00Z"), at("2026-06-16T22:00:00Z"));
    let ends = (ends.0.as_microsecond(), ends.1.as_microsecond());
    for name in ["stays", "revokes"] {
        let made = household(store, name).await;
        for meter in &made.meters {
            let mut measurements = steady(*meter, ends);
            measurements.retain(|it| !(at(GAP.0)..at(GAP.1)).contains(&it.measured_at));
            insert(store, &made, measurements, "2026-11-01T00:00:00Z").await;
        }
    }
    let (_folder, path) = make(store, &order(FORMAT)).await;
    let masked = masked(&path);
    let path = masked.path("");
    let forger = Forger { set: &path };
    forge_households(&forger);
    forge_series(&forger);
    forge_descriptions(&forger);
    forge_files(&forger);
    forge_texts(&forger);
}

/// As the set would be if one of the households had revoked its consent.
fn masked(set: &Path) -> Copy {
    let copy = Copy::from_set(set, FORMAT);
    let mut household = Value::Null;
    copy.change("households", |rows| {
        household = rows[1][0].clone();
        rows[1][9] = Value::Text("revoked".to_owned());
    });
    let is_it = |row: &&mut Vec<Value>| row.contains(&household);
    copy.change("consents", |rows| {
        rows.iter_mut().find(is_it).unwrap()[2] = instant("2026-11-01T00:00:00Z");
    });
    copy.change("pv_systems", |rows| {
        let row = rows.iter_mut().find(is_it).unwrap();
        row[3] = Value::Double(10.0);
        // The first of January 2020.
        row[6] = Value::Date(18_262);
    });
    copy.seal();
    assert_eq!(copy.findings(), Vec::<String>::new());
    copy
}

fn forge_households(forger: &Forger<'_>) {
    let text = |text: &str| Value::Text(text.to_owned());
    let (granted, revoked) = (text("granted"), text("revoked"));
    let state = "revoked_at is not what consent_state in households says";
    forger.rows("consents", |rows| _ = rows.remove(0), "not every household has a consent");
    let revoke = |rows: &mut Rows| {
        let row = rows.iter_mut().find(|row| row[2] == Value::Null).unwrap();
        row[2] = instant("2026-11-01T00:00:00Z");
    };
    forger.rows("consents", revoke, state);
    forger.row(
        "consents",
        &[],
        |row| row[1] = instant("2026-12-01T00:00:00Z"),
        "granted_at is later than as_of",
    );
    let day = |rows: &mut Rows| {
        let row = rows.iter_mut().find(|row| row[2] != Value::Null).unwrap();
        row[2] = instant("2026-11-10T00:00:00Z");
    };
    forger.rows("consents", day, "of a revoked consent months alone are told");
    forger.row("households", std::slice::from_ref(&granted), |row| row[9] = text("revoked"), state);
    forger.row(
        "households",
        std::slice::from_ref(&granted),
        |row| row[11] = Value::Double(50.9),
        "a part of its location is missing",
    );
    let masked = "locations are masked of those who revoked their consent, and of nobody else";
    let place = |row: &mut Vec<Value>, kind: &str, latitude: f64| {
        (row[11], row[12]) = (Value::Double(latitude), Value::Double(7.1));
        row[13] = text(kind);
    };
    forger.row(
        "households",
        std::slice::from_ref(&revoked),
        |row| place(row, "true", 50.9),
        masked,
    );
    forger.row(
        "households",
        std::slice::from_ref(&granted),
        |row| place(row, "masked", 50.9),
        masked,
    );
    let earth = "latitude is not on the Earth";
    forger.row(
        "households",
        std::slice::from_ref(&granted),
        |row| place(row, "true", 509.0),
        earth,
    );
    forger.row(
        "households",
        &[granted],
        |row| row[14] = text("cascade"),
        "topology in households says that there is no balance",
    );
    forger.row(
        "meters",
        &[text("grid")],
        |row| row[4] = text("generation"),
        "its role is not that of its type",
    );
    forger.row(
        "meters",
        &[text("grid")],
        |row| row[5] = text("1.8.0"),
        "generation_register is told of generation meters alone",
    );

    // What was masked is the one with whole kilowatts and a year.
    let power = Value::Double(10.0);
    forger.row(
        "pv_systems",
        std::slice::from_ref(&power),
        |row| row[3] = Value::Double(9.8),
        "its household revoked its consent, and nominal_power_kwp has decimals",
    );
    let later = |row: &mut Vec<Value>| {
        let Value::Date(day) = &mut row[6] else { panic!("a day") };
        *day += 121;
    };
    forger.row(
        "pv_systems",
        std::slice::from_ref(&power),
        later,
        "its household revoked its consent, and installed_on has a day",
    );
    forger.row(
        "pv_systems",
        &[],
        |row| row[4] = Value::Double(400.0),
        "azimuth_deg is no direction",
    );
    let turn = |row: &mut Vec<Value>| row[3] = Value::Double(0.0);
    forger.row("pv_systems", &[Value::Double(9.8)], turn, "nominal_power_kwp is no power");
    let swap = |rows: &mut Rows| {
        let other = rows[1][2].clone();
        rows[0][2] = other;
    };
    forger.rows("pv_systems", swap, "is a meter of another household");
    let incident = |reported: &str, resolved: Option<&str>| {
        let (reported, resolved) = (instant(reported), resolved.map_or(Value::Null, instant));
        move |rows: &mut Rows, meter: Value| {
            rows.push(vec![meter, text("SERIAL-PORT-UNAVAILABLE"), reported, resolved]);
        }
    };
    let mut meter = Value::Null;
    Copy::from_set(forger.set, FORMAT).change("meters", |rows| meter = rows[0][0].clone());
    for (reported, resolved, finding) in [
        ("2026-11-30T00:00:00Z", None, "reported_at is later than as_of"),
        ("2026-06-15T00:00:00Z", Some("2026-11-30T00:00:00Z"), "resolved_at is later than as_of"),
        (
            "2026-06-15T00:00:00Z",
            Some("2026-06-14T00:00:00Z"),
            "resolved_at is earlier than reported_at",
        ),
    ] {
        let add = incident(reported, resolved);
        forger.rows("incidents", |rows| add(rows, meter.clone()), finding);
    }
}

fn forge_series(forger: &Forger<'_>) {
    let file = |table: &str| format!("{table}/{MONTH}");
    let at_noon = [instant(NOON)];
    forger.row(
        &file("readings"),
        &at_noon,
        |row| row[3] = instant("2026-11-30T00:00:00Z"),
        "received_at is later than as_of",
    );
    forger.row(
        &file("readings"),
        &at_noon,
        |row| row[4] = instant("2026-06-15T12:15:00Z"),
        "slot_start is not the quarter hour of measured_at",
    );
    let remove = |rows: &mut Rows| {
        let place = rows.iter().position(|row| row.contains(&at_noon[0])).unwrap();
        rows.remove(place);
    };
    let none = "its flags do not say no_reading, but readings has none";
    forger.rows(&file("readings"), remove, none);
    let local = "local_date and local_quarter are not those of slot_start";
    forger.row(&file("balance"), &at_noon, |row| row[3] = Value::Int(7), local);
    forger.row(&file("balance"), &at_noon, |row| row[2] = Value::Date(20_000), local);
    for (column, value, finding) in [
        (2, Value::Int(92), "quarters_expected are not those of its day"),
        (3, Value::Int(97), "quarters_measured are more than there are"),
        (3, Value::Int(93), "quarters_measured is not how many of its quarter hours are measured"),
        (15, Value::Double(0.9), "autarky is not self-consumption / consumption"),
        (16, Value::Null, "self_consumption_share is not self-consumption / generation"),
    ] {
        // That day is measured throughout.
        forger.rows("daily", |rows| rows[2][column] = value, finding);
    }
    let gap = "import is missing before it, and spans has no gap there";
    forger.rows("spans", |rows| rows.retain(|row| row[1].text() != Some("import")), gap);
    let count = |copy: &Copy| {
        copy.change_text("quality.csv", |text| {
            let mut lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
            let mut cells: Vec<_> = lines[1].split(',').collect();
            cells[2] = "7";
            lines[1] = cells.join(",");
            lines.join("\r\n")
        });
        copy.seal();
    };
    forger.files(count, "import_measured is not");
    forger.text("flags.csv", (",late,", ",later,"), "there is no such flag");
}

fn forge_descriptions(forger: &Forger<'_>) {
    for (name, text, finding) in [
        (
            "datapackage.json",
            ("\"unit\": \"kWh\"", "\"unit\": \"Wh\""),
            "described with another unit",
        ),
        ("datapackage.json", ("\"type\": \"number\"", "\"type\": \"string\""), "another type of"),
        ("datapackage.json", ("\"primaryKey\"", "\"primaryKeys\""), "another primaryKey"),
        ("datapackage.json", ("\"sha256:", "\"md5:"), "other hashes"),
        ("datapackage.json", ("\"tier\": \"internal\"", "\"tier\": \"public\""), "another tier"),
        ("EXPORT.json", ("\"exported\": 2", "\"exported\": 3"), "2 households are exported"),
        ("EXPORT.json", ("\"from\": null", "\"from\": \"June\""), "from is no instant"),
        ("EXPORT.json", ("\"PT15M\"", "\"PT5M\""), "it does not say how long rows last"),
        ("EXPORT.json", ("\"sha256\": \"", "\"sha256\": \"0"), "have other hashes"),
    ] {
        forger.text(name, text, finding);
    }
    let without = |copy: &Copy| {
        fs::remove_file(copy.path("spans.csv")).unwrap();
        copy.seal();
    };
    forger.files(without, "spans.csv: every set has it, but datapackage.json does not");
    let double = |copy: &Copy, name: &str, list: &str| {
        copy.change_text(name, |text| {
            let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
            let list = json[list].as_array_mut().unwrap();
            list.push(list[0].clone());
            format!("{json:#}\n")
        });
        copy.sum();
    };
    forger.files(|copy| double(copy, "EXPORT.json", "files"), "it has balance/2026-06.csv twice");
    forger.files(|copy| double(copy, "datapackage.json", "resources"), "balance/2026-06.csv twice");
}

fn forge_files(forger: &Forger<'_>) {
    let hash = "0".repeat(64);
    let line = |line: String| {
        move |copy: &Copy| copy.change_text("SHA256SUMS", |text| format!("{text}{line}\n"))
    };
    let no_hash = "it is no hash with the name of a file in the set";
    forger.files(line(format!("{hash}  more.txt")), "more.txt: it is missing");
    forger.files(line(format!("{hash}  ../README.md")), no_hash);
    forger.files(line(format!("{hash}  /etc/passwd")), no_hash);
    forger.files(line(format!("{hash} README.md")), no_hash);
    forger.files(line(format!("{hash}  README.md")), "it names README.md again");
    let add = |name: &'static str| move |copy: &Copy| fs::write(copy.path(name), "").unwrap();
    forger.files(add(".hidden"), ".hidden: it is not in SHA256SUMS");
    forger.files(add("energy/2026-06.parquet"), "2026-06.parquet: it is not in SHA256SUMS");
    let without = |copy: &Copy| {
        fs::remove_file(copy.path("README.md")).unwrap();
        copy.seal();
    };
    forger.files(without, "README.md: every set has it");
    let link = "it is no file and no folder, but a link or a device";
    let file = |copy: &Copy| {
        fs::remove_file(copy.path("daily.csv")).unwrap();
        symlink(forger.set.join("daily.csv"), copy.path("daily.csv")).unwrap();
    };
    forger.files(file, &format!("daily.csv: {link}"));
    let folder = |copy: &Copy| symlink(".", copy.path("more")).unwrap();
    forger.files(folder, &format!("more: {link}"));
}

/// Numbers and instants are written in one way alone: others are read as something else elsewhere.
fn forge_texts(forger: &Forger<'_>) {
    let energy = format!("energy/{MONTH}.csv");
    for (text, finding) in [
        ((";0,1;", ";0.1;"), "import_kwh is no number"),
        ((";0,1;", ";1e-1;"), "import_kwh is no number"),
        ((";0,1;", ";+0,1;"), "import_kwh is no number"),
        (("T12:00:00Z", "T14:00:00+02:00"), "slot_start is no instant"),
        (("T12:00:00Z", "T12:00:00.000Z"), "slot_start is no instant"),
    ] {
        forger.text(&energy, text, finding);
    }
    forger.text("daily.csv", ("2026-06-15", "20260615"), "local_date is no date");
    forger.text("daily.csv", (";96;", ";+96;"), "quarters_expected is no integer");
}
