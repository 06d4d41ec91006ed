//! The past of the demo's households, from outside: what is in the database, what `ebp report` says of
//! it, and that nothing of it is lost or doubled where the demo goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::run;
use crate::support::{ebp, process, process::Running, wait_for};
use ebp_core::{
    clock::{Clock, SystemClock},
    contract::StoredMeasurement,
    cycle::Cycle,
    model::{IncidentType, Meter},
    obis::ObisCode,
};
use ebp_store::{Actor, Database, HouseholdId, Names, PageQuery, Store, open_store};
use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use tokio::runtime::Runtime;

const QUARTER: Cycle = Cycle::QUARTER_HOUR;

fn demo(folder: &Path, past: &str) -> Command {
    let mut command = ebp();
    command.current_dir(folder).args(["demo", "--once", "--cycle", "1s", "--past", past]);
    command
}

fn database(folder: &Path) -> PathBuf {
    folder.join("demo-state/server/ebp.sqlite")
}

/// What the server's database holds.
struct Stored {
    runtime: Runtime,
    store: Arc<dyn Store>,
}

/// A meter with its measurements.
struct Rows {
    household: HouseholdId,
    meter: Meter,
    rows: Vec<StoredMeasurement>,
}

impl Stored {
    fn open(folder: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store = runtime.block_on(open_store(&Database::Sqlite(database(folder)))).unwrap();
        Self { runtime, store }
    }

    /// The meters of the two households that stay, by their models.
    fn meters(&self) -> BTreeMap<String, Rows> {
        let mut all = BTreeMap::new();
        for email in ["erika@example.org", "max@example.org"] {
            let names = Names { participant: None, email: email.into(), device: None };
            let Actor::Participant { household: Some(household), .. } =
                self.runtime.block_on(self.store.actor(&names)).unwrap()
            else {
                panic!("{email} has no household")
            };
            for meter in self.runtime.block_on(self.store.meters(household)).unwrap() {
                let rows = self.rows(household, &meter);
                all.insert(meter.model.clone(), Rows { household, meter, rows });
            }
        }
        all
    }

    fn rows(&self, household: HouseholdId, meter: &Meter) -> Vec<StoredMeasurement> {
        let mut query = PageQuery { from: None, to: None, after: None, limit: 5_000 };
        let mut all = Vec::new();
        loop {
            let page = self.store.measurements_page(household, meter.uuid, query);
            let page = self.runtime.block_on(page).unwrap();
            all.extend(page.items);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return all,
            }
        }
    }

    fn granted_at(&self, of: &Rows) -> Timestamp {
        self.runtime.block_on(self.store.consent(of.household)).unwrap().granted_at.unwrap()
    }

    /// When that incident of a meter was reported and resolved.
    fn incident(&self, of: &Rows, kind: IncidentType) -> (Timestamp, Timestamp) {
        let all = self.store.incidents(of.household, of.meter.uuid);
        let all = self.runtime.block_on(all).unwrap();
        let one = all.iter().find(|one| one.kind == kind).unwrap();
        (one.reported_at, one.resolved_at.unwrap())
    }
}

impl Rows {
    /// How many of the slots from one instant to another have a measurement; none has two.
    #[track_caller]
    fn slots(&self, from: Timestamp, to: Timestamp) -> usize {
        let within =
            self.rows.iter().map(|row| row.measured_at).filter(|at| from <= *at && *at < to);
        let slots: Vec<_> = within.map(|at| QUARTER.slot(at).key()).collect();
        let different: BTreeSet<_> = slots.iter().copied().collect();
        assert_eq!(slots.len(), different.len(), "{} has two in a slot", self.meter.model);
        slots.len()
    }

    fn power(row: &StoredMeasurement) -> bool {
        row.data.iter().any(|point| point.obis == ObisCode::SUM_POWER)
    }
}

/// Everything but the instants of the window, which are those of the test, and the household that has
/// left, whose place among the others depends on the day.
fn tables(report: &str) -> String {
    let (head, tables) = report.split_once('\n').unwrap();
    let (meters, rest) = head.split_once(" from ").unwrap();
    let (_, cycles) = rest.split_once(", measured").unwrap();
    let mut text = format!("{meters} from BEGIN to END, measured{cycles}\n");
    for line in tables.lines() {
        let cells: Vec<_> = line.split(['│', '┆']).map(str::trim).collect();
        let has_left =
            cells.contains(&"MT691") || cells.iter().filter(|cell| **cell == "-").count() > 6;
        if !has_left {
            let number = cells.get(1).filter(|cell| cell.parse::<u8>().is_ok());
            text += &number.map_or(line.to_owned(), |number| line.replacen(number, "n", 1));
            text.push('\n');
        }
    }
    text
}

#[test]
fn a_past_and_what_comes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let run = process::run(demo(folder.path(), "3d"), b"").done();
    eprintln!("the past of three days and a round took {:?}", begun.elapsed());
    assert!(!run.stderr.contains('\r') && !run.stderr.contains('\x1b'), "{:?}", run.stderr);
    assert!(run.stderr.contains("two of them with a past"), "{}", run.stderr);

    let stored = Stored::open(folder.path());
    let meters = stored.meters();
    let begin = stored.granted_at(&meters["MT175"]);
    let (days, end) = (SignedDuration::from_hours(72), begin + SignedDuration::from_hours(72));
    assert_eq!(begin.as_second() % 3600, 0);
    assert!(begin.duration_until(SystemClock.now()) < days + SignedDuration::from_hours(1));

    // What the thesis asks for, of whole slots.
    let config = folder.path().join("demo-state/server.toml");
    let to = end.to_string();
    let report = run!("report", "--config", &config, "--to", &to).done();
    insta::assert_snapshot!("demo_past", tables(&report.stdout));

    // A device without power, a locked meter, a loose head, an exchange.
    let all = 3 * 96;
    let gap = all - meters["EHZ"].slots(begin, end);
    assert!(gap > 8, "{gap}");
    assert_eq!(meters["MT175"].slots(begin, end), all - gap);
    let (from, to) = stored.incident(&meters["MT175"], IncidentType::ObisCodesUnavailable);
    assert!(from.duration_until(to) > SignedDuration::from_hours(15), "{from} {to}");
    let locked = meters["MT175"].rows.iter().filter(|row| !Rows::power(row));
    assert!(locked.clone().count() > 60, "{}", locked.count());
    let (from, to) = stored.incident(&meters["MT631"], IncidentType::SerialPortUnavailable);
    assert!(from < to);
    let removed = meters["MT631"].meter.removed_at.unwrap();
    assert_eq!(meters["MT631"].meter.measurement_device, None);
    assert!(meters["MT631"].rows.iter().all(|row| row.measured_at < removed));
    assert!(meters["MT681"].rows[0].measured_at > removed);
    let since = QUARTER.slot(removed).start();
    assert_eq!(meters["MT681"].slots(since, end), meters["EHZ"].slots(since, end));
    // The sun shines, and the battery is charged: then nothing is fed into the grid.
    assert!(meters["EHZ"].rows.iter().any(Rows::power));

    // Of those that are still there each slot has one up to the present one, and in that the demo goes
    // on with its own.
    let seam: Timestamp = fs::read_to_string(folder.path().join("demo-state/past-end"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    for model in ["MT175", "EHZ", "MT681"] {
        let rows = &meters[model].rows;
        let live = rows.iter().find(|row| row.measured_at >= seam).unwrap();
        assert_eq!(QUARTER.slot(live.measured_at).start(), seam, "{model}");
        let since = begin + SignedDuration::from_hours(48);
        let slots = since.duration_until(seam).as_mins() / 15;
        assert_eq!(meters[model].slots(since, seam), usize::try_from(slots).unwrap(), "{model}");
        meters[model].slots(begin, seam);
        // Registers never run backwards.
        for pair in rows.windows(2) {
            for point in &pair[0].data {
                let later = pair[1].data.iter().find(|other| other.obis == point.obis);
                let is_energy = point.obis != ObisCode::SUM_POWER;
                assert!(
                    !is_energy || later.is_none_or(|l| l.value >= point.value.trunc()),
                    "{model}"
                );
            }
        }
    }

    // It is not made again.
    process::run(demo(folder.path(), "3d"), b"").done();
    let again = Stored::open(folder.path()).meters();
    for model in ["MT175", "EHZ", "MT681", "MT631"] {
        let before = &meters[model].rows;
        assert_eq!(again[model].rows[..before.len()], before[..], "{model}");
        assert_eq!(again[model].rows.len() > before.len(), model != "MT631", "{model}");
    }
}

/// Killed or ended while it makes the past, the demo makes it whole at the next start.
#[test]
fn a_kill_while_the_past_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("demo-state/household-2/device.pem");
    let start = || {
        let _ = fs::remove_file(&certificate);
        let running = Running::start(demo(folder.path(), "2d"));
        // Then the server is started, and the past begins.
        wait_for("the past to begin", || certificate.exists().then_some(()));
        running
    };
    for millis in [0, 300, 900] {
        let running = start();
        std::thread::sleep(Duration::from_millis(millis));
        running.kill();
        assert!(!database(folder.path()).exists(), "the past was made within {millis} ms");
    }
    let running = start();
    running.signal(Signal::INT);
    let run = running.end();
    assert_eq!(run.code, Some(1), "{run:?}");
    run.says(&["ended while the households' past was made", "--past 0d"]);
    assert!(!database(folder.path()).exists());

    process::run(demo(folder.path(), "1d"), b"").done();
    let stored = Stored::open(folder.path());
    let meters = stored.meters();
    let begin = stored.granted_at(&meters["EHZ"]);
    assert!(meters["MT631"].slots(begin, meters["MT631"].meter.removed_at.unwrap()) > 40);
    assert!(!folder.path().join("demo-state/past").exists());
}

#[test]
fn without_a_past() {
    let folder = tempfile::tempdir().unwrap();
    let run = process::run(demo(folder.path(), "0d"), b"").done();
    assert!(!run.stderr.contains("past"), "{}", run.stderr);
    let meters = Stored::open(folder.path()).meters();
    assert_eq!(meters.keys().collect::<Vec<_>>(), ["EHZ", "MT175", "MT681"]);
    let begun = SystemClock.now() - SignedDuration::from_mins(10);
    assert!(meters.values().all(|meter| !meter.rows.is_empty()));
    // Later there is none either: what was measured is not measured again.
    process::run(demo(folder.path(), "1d"), b"").done();
    for (model, meter) in Stored::open(folder.path()).meters() {
        assert!(meter.rows.len() > meters[&model].rows.len(), "{model}");
        assert!(meter.rows.iter().all(|row| row.measured_at > begun), "{model}");
    }
    process::run(demo(folder.path(), "91d"), b"").says(&["from 0d, which is none, to 90d"]);
}
