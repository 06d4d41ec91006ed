//! Releases of the data set from outside: what leaves, what does not, who may, and what is never
//! finer than before.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ebp_core::{
    contract::{ConsentGrant, Language, Registered, ReleaseTier, SurveyText},
    model::Measurement,
};
use ebp_dataset::files::{
    Format, PROFILES, RELEASED_BALANCE, RELEASED_HOUSEHOLDS, Table, Value, read_rows,
};
use ebp_store::{Database, HouseholdId, Store, masking::Masking, open_store};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::support::{ebp, process::Run};

/// Households: one unique by its nominal power, one alone in its region, one that revoked, one withheld,
/// one without consent, and those that share what is shown.
const HOUSEHOLDS: usize = 60;
const UNIQUE: usize = 0;
const ALONE: usize = 1;
const REVOKED: usize = 2;
const WITHHELD: usize = 3;
const WITHOUT_CONSENT: usize = 4;

const AS_OF: &str = "2026-05-02T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A survey in a folder, and two administrators.
pub struct Survey {
    folder: tempfile::TempDir,
    households: Vec<Registered>,
    /// Registers that meters showed.
    registers: Vec<String>,
}

impl Survey {
    fn set() -> Self {
        Self::with(fill)
    }

    /// One whose database that makes: it gives back households and registers.
    pub fn with(fill: impl AsyncFnOnce(&Path) -> (Vec<Registered>, Vec<String>)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run_in(folder.path(), &["ca", "init", "--data", "data"]).done();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (households, registers) = runtime.block_on(fill(folder.path()));
        for name in ["alice", "bob"] {
            let issue = ["ca", "issue", "--data", "data", "--output", "people"];
            let who = ["--administrator", name];
            run_in(folder.path(), &[&issue[..], &who[..]].concat()).done();
        }
        Self { folder, households, registers }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, arguments: &[&str], who: Option<&str>) -> Run {
        run_to_end(self.command(arguments, who))
    }

    pub fn command(&self, arguments: &[&str], who: Option<&str>) -> Command {
        let mut command = ebp();
        command.current_dir(self.folder.path()).args(arguments).args(["--data", "data"]);
        if let Some(who) = who {
            for (option, ending) in [("--certificate", "pem"), ("--key", "key")] {
                command.arg(option).arg(format!("people/administrator-{who}.{ending}"));
            }
        }
        command
    }

    pub fn research(&self, output: &str, more: &[&str]) -> Run {
        run_to_end(self.research_command(output, more))
    }

    pub fn research_command(&self, output: &str, more: &[&str]) -> Command {
        let order = ["export", "--release", "research", "--as-of", AS_OF, "--output", output];
        let recipient: &[&str] = match more.contains(&"--recipient") {
            true => &[],
            false => &["--recipient", "University of Examples"],
        };
        self.command(&[&order[..], recipient, more].concat(), Some("alice"))
    }
}

fn run_in(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = ebp();
    command.current_dir(folder).args(arguments);
    run_to_end(command)
}

/// Without a limit: exports of a busy machine take a while.
fn run_to_end(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn registration(number: usize) -> ebp_core::contract::Registration {
    let has_system = number.is_multiple_of(2) || number == ALONE;
    let (latitude, longitude) = if number == ALONE {
        (48.137_154 + 0.000_01, 11.576_124)
    } else {
        (50.733_41 + number as f64 * 0.000_137, 7.098_77 + number as f64 * 0.000_211)
    };
    let mut meters = vec![json!({"type": "ELECTRICITY", "model": "MT175"})];
    let mut systems = Vec::new();
    if has_system {
        meters.push(json!({"type": "PV-GENERATION", "model": "MT681"}));
        let power = if number == UNIQUE { 35.5 } else { 8.25 };
        systems.push(json!({"nominal_power": power, "azimuth": 181, "tilt": 33,
                            "installed_on": "2021-05-01", "meter": 1}));
    }
    let is_odd = number % 4 < 2;
    serde_json::from_value(json!({
        "participant": {"name": format!("Person Number{number}son"),
                        "email": format!("person.{number}@example.org")},
        "address": {"street": format!("Musterweg{number}gasse 7"), "postal_code": "53113",
                    "city": "Bonn", "country": "DE"},
        "location": {"latitude": latitude, "longitude": longitude},
        "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": is_odd,
                     "electric_vehicle_charger": !is_odd, "home_battery": is_odd},
        "meters": meters,
        "pv_systems": systems,
    }))
    .unwrap()
}

/// The store of a survey in that folder, with texts that cover a research file.
pub async fn open_with_texts(folder: &Path) -> Arc<dyn Store> {
    let store = open_store(&Database::Sqlite(folder.join("data/ebp.sqlite"))).await.unwrap();
    let text = |language| SurveyText {
        language,
        summary: "Summary\n".into(),
        details: "Details\n".into(),
        release: Some(ReleaseTier::Research),
    };
    store.publish_texts(1, Language::ALL.map(text).to_vec()).await.unwrap();
    store
}

/// The household consents by those texts.
pub async fn consent(
    store: &Arc<dyn Store>,
    household: &Registered,
    when: Timestamp,
) -> HouseholdId {
    let id = HouseholdId(household.household);
    let grant = ConsentGrant { text_version: Some(1), language: Some(Language::De) };
    store.grant_consent_through(id, grant, None, when).await.unwrap();
    id
}

async fn fill(folder: &Path) -> (Vec<Registered>, Vec<String>) {
    let store = open_with_texts(folder).await;
    let (mut households, mut registers) = (Vec::new(), Vec::new());
    for number in 0..HOUSEHOLDS {
        let since = at("2026-02-01T00:00:00Z") + SignedDuration::from_secs(number as i64);
        let made = store.register(registration(number), since).await.unwrap();
        if number != WITHOUT_CONSENT {
            let id = consent(&store, &made, since).await;
            for (place, meter) in made.meters.iter().enumerate() {
                let rows = measurements(*meter, number, place, &mut registers);
                let when = at("2026-05-01T00:00:00Z");
                for part in rows.chunks(1000) {
                    store.insert_measurements(id, part.to_vec(), when).await.unwrap();
                }
            }
        }
        households.push(made);
    }
    // Without regions nothing can be masked.
    revoke(&store, &households[WITHHELD]).await;
    store.mask_by(Arc::new(Masking::by_embedded(None)), false).await.unwrap();
    revoke(&store, &households[REVOKED]).await;
    store.close().await.unwrap();
    (households, registers)
}

async fn revoke(store: &Arc<dyn Store>, of: &Registered) {
    let id = HouseholdId(of.household);
    store.revoke_consent_by(id, None, at("2026-05-01T12:00:00Z")).await.unwrap();
}

/// Every six hours from February to April, and every quarter hour of some days.
fn measurements(
    meter: Uuid,
    number: usize,
    place: usize,
    registers: &mut Vec<String>,
) -> Vec<Measurement> {
    let first = at("2026-02-08T00:00:00Z").as_second();
    let mut energy = 100_000_000 + (number as u64 * 7_919 + place as u64 * 104_729) * 1_003;
    let mut chance = number as u64 + 1;
    let mut rows = Vec::new();
    for slot in 0..75 * 96_i64 {
        chance =
            chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        energy += 20 + (chance >> 33) % 3_000;
        // From the 8th of March to the 11th.
        let is_dense = (28 * 96..32 * 96).contains(&slot);
        if !is_dense && slot % 24 != 0 {
            continue;
        }
        let shown = format!("{}.{:04}", energy / 10_000, energy % 10_000);
        let data = match place {
            0 => format!("[{{\"0100010800ff\":{shown}}},{{\"0100020800ff\":3.0000}}]"),
            _ => format!("[{{\"0100010800ff\":1.0000}},{{\"0100020800ff\":{shown}}}]"),
        };
        if slot % 960 == 0 && !shown.ends_with('0') {
            registers.push(shown);
        }
        rows.push(Measurement {
            uuid: Uuid::new_v4(),
            meter,
            measured_at: Timestamp::from_second(first + slot * 900 + 1).unwrap(),
            data: serde_json::from_str(&data).unwrap(),
            flags: Vec::new().into_iter().collect(),
        });
    }
    rows
}

fn rows(set: &Path, table: &Table) -> Vec<Vec<Value>> {
    let mut files = vec![set.join(format!("{}.parquet", table.name))];
    if table.by_month {
        files = fs::read_dir(set.join(table.name)).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
    }
    let mut all = Vec::new();
    for file in files {
        read_rows(&file, table, Format::Parquet, &mut |_, values| all.push(values.to_vec()))
            .unwrap();
    }
    all
}

fn checks(set: &Path) -> BTreeMap<String, (bool, String)> {
    let text = fs::read(set.join("RELEASE-CHECK.json")).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let check = |it: &serde_json::Value| {
        let text = |name: &str| it[name].as_str().unwrap().to_owned();
        (text("rule"), (it["passed"].as_bool().unwrap(), text("found")))
    };
    all["checks"].as_array().unwrap().iter().map(check).collect()
}

#[test]
fn a_survey_of_sixty_households_is_released() {
    let survey = Survey::set();
    few_are_refused(&survey);
    // A draft that is never confirmed: with regions one household is alone in its own.
    survey.research("regional", &[]).done();
    every_rule_is_recorded(&survey.path("regional"));
    those_who_do_not_fit_are_not_in_it(&survey, &survey.path("regional"));
    let set = survey.path("first");
    let told = survey.research("first", &["--region", "country"]).done();
    assert!(told.stdout.contains("draft of release 1"), "{told:?}");
    assert_eq!(rows(&set, &RELEASED_HOUSEHOLDS).len(), 56, "nobody is alone in the country");
    nothing_of_the_survey_is_in_any_file(&survey, &set);
    two_persons_confirm(&survey, &set);
    a_later_release_is_no_finer(&survey);
    a_changed_file_is_found(&survey);
    aggregates_are_of_many(&survey);
}

fn few_are_refused(survey: &Survey) {
    let some = survey.households[5..34].iter().map(|it| format!("{}\n", it.household));
    fs::write(survey.path("few.txt"), some.collect::<String>()).unwrap();
    let refused = survey.research("few", &["--households", "few.txt"]);
    refused.refused(1, &["R12", "29 households", "every one could be found", "wait until"]);
    assert!(!survey.path("few").exists() && !survey.path("few.draft.json").exists());
    survey
        .run(&["export", "--release", "research", "--output", "x"], Some("bob"))
        .refused(2, &["--recipient"]);
    for nobody in ["", " "] {
        survey.research("few", &["--recipient", nobody]).refused(2, &["--recipient is empty"]);
    }
    let households = fs::read_to_string(survey.path("few.txt")).unwrap();
    let unknown = format!("{households}\n{}\n", Uuid::nil());
    fs::write(survey.path("unknown.txt"), unknown).unwrap();
    survey
        .research("few", &["--households", "unknown.txt"])
        .refused(2, &["unknown.txt, line 31: no household has this identifier"]);
    survey
        .research("short", &["--to", "2026-03-20T00:00:00Z"])
        .refused(1, &["R9", "wait until", "--from and --to"]);
    assert!(!survey.path("few").exists() && !survey.path("short").exists());
}

fn every_rule_is_recorded(set: &Path) {
    let checks = checks(set);
    let rules: BTreeSet<String> = (1..=14).map(|number| format!("R{number}")).collect();
    assert_eq!(checks.keys().cloned().collect::<BTreeSet<_>>(), rules);
    for (rule, (passed, found)) in &checks {
        assert!(passed, "{rule}: {found}");
    }
    // One never consented, and of the others one revoked and one is withheld.
    assert!(checks["R2"].1.starts_with("57 households, by the text"), "{:?}", checks["R2"]);
    assert!(checks["R2"].1.ends_with("1 withheld"), "{:?}", checks["R2"]);
    assert!(checks["R6"].1.starts_with("55 households"), "{:?}", checks["R6"]);
    assert!(checks["R9"].1.contains("55 have 2026-03 to 2026-03"), "{:?}", checks["R9"]);
    let readme = fs::read_to_string(set.join("README.md")).unwrap();
    assert!(readme.starts_with("**Research file**"), "{readme}");
    assert!(readme.contains("knows one week") && readme.contains("% interval"), "{readme}");
}

fn those_who_do_not_fit_are_not_in_it(survey: &Survey, set: &Path) {
    let ids = fs::read_to_string(survey.path("regional.ids.csv")).unwrap();
    for number in [UNIQUE, ALONE, REVOKED, WITHHELD, WITHOUT_CONSENT] {
        assert!(!ids.contains(&survey.households[number].household.to_string()), "{number}");
    }
    let households = rows(set, &RELEASED_HOUSEHOLDS);
    assert_eq!(households.len(), 55);
    let names: Vec<&str> = households.iter().map(|row| row[0].text().unwrap()).collect();
    assert!(names.iter().all(|name| name.starts_with("1-")), "{names:?}");
    assert!(households.iter().all(|row| row[1].text() == Some("DEA")));
    let powers: BTreeSet<_> = households.iter().map(|row| row[2].text().unwrap()).collect();
    assert_eq!(powers, BTreeSet::from(["7-10", "none"]));
    let balance = rows(set, &RELEASED_BALANCE);
    // March has a day of 23 hours.
    assert_eq!(balance.len(), 55 * (31 * 96 - 4));
    assert!(balance.iter().any(|row| row[4].double().is_some()));
}

fn nothing_of_the_survey_is_in_any_file(survey: &Survey, set: &Path) {
    let mut content = Vec::new();
    let mut folders = vec![set.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { content.extend(fs::read(path).unwrap()) }
        }
    }
    for table in [&RELEASED_HOUSEHOLDS, &RELEASED_BALANCE] {
        for row in rows(set, table) {
            let line = row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            content.extend(line.as_bytes());
            content.push(b'\n');
        }
    }
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for (number, made) in survey.households.iter().enumerate() {
        for uuid in [made.household, made.participant].iter().chain(&made.meters) {
            needles.push(uuid.as_bytes().to_vec());
            needles.push(uuid.to_string().into_bytes());
            needles.push(uuid.simple().to_string().into_bytes());
            needles.push(STANDARD.encode(uuid.as_bytes()).as_bytes()[..21].to_vec());
        }
        needles.push(format!("person.{number}@").into_bytes());
        needles.push(format!("Musterweg{number}gasse").into_bytes());
        needles.push(format!("Number{number}son").into_bytes());
    }
    for coordinate in ["50.733", "50.734", "7.098", "7.099", "48.137", "11.576"] {
        needles.push(coordinate.as_bytes().to_vec());
    }
    needles.extend(survey.registers.iter().map(|register| register.as_bytes().to_vec()));
    assert!(needles.len() > 1_000, "{}", needles.len());
    for needle in &needles {
        let found = memchr::memmem::find(&content, needle);
        assert_eq!(found, None, "{}", String::from_utf8_lossy(needle));
    }
}

fn two_persons_confirm(survey: &Survey, set: &Path) {
    let check = |survey: &Survey| survey.run_plain(&["export", "--check", "first"]);
    let draft = check(survey);
    assert_eq!(draft.code, Some(1), "{draft:?}");
    assert!(draft.stdout.contains("it is a draft"), "{draft:?}");
    let same = survey.run(&["export", "confirm", "first"], Some("alice"));
    same.refused(1, &["R14", "alice made the draft", "another administrator"]);
    survey.run(&["export", "confirm", "first"], None).refused(2, &["--certificate"]);
    let confirmed = survey.run(&["export", "confirm", "first"], Some("bob")).done();
    assert!(confirmed.stdout.contains("release 1 is confirmed"), "{confirmed:?}");
    assert!(set.join("RELEASE.json").exists() && !survey.path("first.draft.json").exists());
    check(survey).done();
    survey.run(&["export", "confirm", "first"], Some("bob")).refused(2, &["no draft"]);
    // A draft that was made before the release that is confirmed now.
    let older = survey.run(&["export", "confirm", "regional"], Some("bob"));
    older.refused(1, &["R13", "since the draft", "make it anew"]);
}

fn a_later_release_is_no_finer(survey: &Survey) {
    let finer = survey.research("finer", &["--region", "nuts1"]);
    finer.refused(1, &["R13", "country", "--region"]);
    assert!(!survey.path("finer").exists());
    survey.research("second", &["--region", "country", "--forget"]).done();
    assert!(!survey.path("second.ids.csv").exists());
    let names = |set: &str| -> Vec<String> {
        let all = rows(&survey.path(set), &RELEASED_HOUSEHOLDS);
        all.iter().map(|row| row[0].to_string()).collect()
    };
    assert!(names("second").iter().all(|name| !names("first").contains(name)));
    let found = &checks(&survey.path("second"))["R13"].1;
    assert!(found.contains("56 households were released before"), "{found}");
}

fn a_changed_file_is_found(survey: &Survey) {
    let readme = survey.path("second/README.md");
    let text = fs::read_to_string(&readme).unwrap();
    fs::write(&readme, text.replace("56", "57")).unwrap();
    let changed = survey.run(&["export", "confirm", "second"], Some("bob"));
    changed.refused(1, &["R14", "README.md"]);
}

fn aggregates_are_of_many(survey: &Survey) {
    let order = ["export", "--release", "public", "--region", "country", "--as-of", AS_OF];
    survey.run(&[&order[..], &["--output", "public"]].concat(), Some("alice")).done();
    let set = survey.path("public");
    for (rule, (passed, found)) in checks(&set) {
        assert!(passed, "{rule}: {found}");
    }
    // Who revoked counts here.
    let found = checks(&set);
    assert!(found["R2"].1.starts_with("50 or more households"), "{:?}", found["R2"]);
    assert!(found["R2"].1.ends_with("fewer than 10 withheld"), "{:?}", found["R2"]);
    assert!(found["R9"].1.starts_with("50 or more have"), "{:?}", found["R9"]);
    assert!(found["R13"].1.ends_with("50 or more households were released before"));
    let profiles = rows(&set, &PROFILES);
    assert!(profiles.len() > 500, "{}", profiles.len());
    for row in &profiles {
        let count = row[5].int().unwrap();
        assert!(count >= 10 && count % 10 == 0, "{row:?}");
        let mean = row[6].to_string();
        assert!(mean.split_once('.').is_none_or(|(_, digits)| digits.len() <= 3), "{row:?}");
    }
    rows_of_a_quarter_hour_are_of_the_same_households(&profiles);
    survey.run(&["export", "confirm", "public"], Some("bob")).done();
    survey.run_plain(&["export", "--check", "public"]).done();
    let readme = fs::read_to_string(set.join("README.md")).unwrap();
    assert!(readme.starts_with("**Public**"), "{readme}");
}

/// What follows from them is told, too.
fn rows_of_a_quarter_hour_are_of_the_same_households(profiles: &[Vec<Value>]) {
    let mut slots: BTreeMap<i64, BTreeMap<&str, (i64, f64)>> = BTreeMap::new();
    for row in profiles {
        let shown = (row[5].int().unwrap(), row[6].double().unwrap());
        slots.entry(row[1].int().unwrap()).or_default().insert(row[4].text().unwrap(), shown);
    }
    let whole: Vec<_> = slots.values().filter(|it| it.contains_key("consumption")).collect();
    assert!(whole.len() > 100, "{} of {}", whole.len(), slots.len());
    for rows in whole {
        let [consumption, export, generation, import] =
            ["consumption", "export", "generation", "import"].map(|it| rows[it]);
        assert_eq!((consumption.0, consumption.0), (export.0, generation.0), "{rows:?}");
        if import.0 == consumption.0 {
            let off = consumption.1 + export.1 - generation.1 - import.1;
            assert!(off.abs() < 0.0021, "{rows:?}");
        } else {
            assert!(import.0 >= consumption.0 + 20, "{rows:?}");
        }
    }
}

impl Survey {
    pub fn run_plain(&self, arguments: &[&str]) -> Run {
        run_in(self.folder.path(), arguments)
    }
}
