//! A check finds tables that contradict one another, though each row of them is possible.

use std::{fs, path::Path};

use ebp_dataset::files::{Decimal, Format, check_folder};
use ebp_survey::dataset::{ExportOrder, Resolution};
use uuid::Uuid;

use crate::{
    dataset::{at, household, insert, make, order, steady},
    world::World,
};

crate::on_both!(tables_that_contradict_each_other_are_found);

/// The columns of energy, of balance and of spans that are changed.
mod column {
    pub const IMPORT: usize = 3;
    pub const BALANCE_IMPORT: usize = 4;
    pub const GENERATION: usize = 6;
    pub const CONSUMPTION: usize = 7;
    pub const OWN: usize = 8;
    pub const QUALITY: usize = 9;
    pub const SPAN_TO: usize = 3;
    pub const QUARTERS: usize = 4;
    pub const SPAN_ENERGY: usize = 5;
}

/// A file's lines with a change, which is undone.
struct Planted<'a> {
    folder: &'a Path,
    file: &'a str,
}

impl Planted<'_> {
    /// Changes the row that has all of these texts, and looks for a finding there.
    fn find(&self, of: &[&str], change: impl Fn(&mut Vec<String>), finding: &str) {
        let path = self.folder.join(self.file);
        let before = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = before.split("\r\n").map(str::to_owned).collect();
        let is_it = |line: &String| of.iter().all(|text| line.contains(text));
        let place = lines.iter().position(is_it).unwrap();
        let mut cells: Vec<String> = lines[place].split(',').map(str::to_owned).collect();
        change(&mut cells);
        if cells.is_empty() {
            lines.remove(place);
        } else {
            lines[place] = cells.join(",");
        }
        fs::write(&path, lines.join("\r\n")).unwrap();
        let findings = check_folder(self.folder).unwrap().findings;
        let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(texts.iter().any(|text| text.contains(finding)), "{finding}: {texts:#?}");
        fs::write(&path, before).unwrap();
    }
}

/// Adds energy to what is in a cell.
fn add(cell: &mut String, kwh: f64) {
    let sum = cell.parse::<f64>().unwrap() + kwh;
    *cell = ((sum * 1e8).round() / 1e8).to_string();
}

async fn tables_that_contradict_each_other_are_found(world: World) {
    let store = world.survey.store();
    let made = household(store, "contradictions").await;
    let ends = (at("2026-06-14T22:00:00Z"), at("2026-06-16T22:00:00Z"));
    let ends = (ends.0.as_microsecond(), ends.1.as_microsecond());
    let gap = at("2026-06-15T09:10:00Z")..at("2026-06-15T09:40:00Z");
    for meter in &made.meters {
        let mut measurements = steady(*meter, ends);
        measurements.retain(|it| !gap.contains(&it.measured_at));
        insert(store, &made, measurements, "2026-11-01T00:00:00Z").await;
    }
    let format = Format::Csv(Decimal::Point);
    let (_folder, path) = make(store, &order(format)).await;
    let in_file = |file| Planted { folder: &path, file };
    let name = |uuid: Uuid| uuid.to_string();
    let (grid, pv) = (name(made.meters[0]), name(made.meters[1]));
    let (energy, balance) = (in_file("energy/2026-06.csv"), in_file("balance/2026-06.csv"));
    let noon = "2026-06-15T12:00:00Z";

    // What a meter at the grid counted is what the household drew.
    let more = |cells: &mut Vec<String>| add(&mut cells[column::IMPORT], 0.0001);
    let other = "import_kwh and export_kwh are not those of a meter at the grid";
    energy.find(&[&grid, noon], more, other);
    energy.find(&[&pv, noon], more, "generation_kwh is not what the generation meter counted");
    let day_in_part = "2026-06-15T20:00:00Z";
    let both = |cells: &mut Vec<String>| {
        add(&mut cells[column::BALANCE_IMPORT], 1.0);
        add(&mut cells[column::CONSUMPTION], 1.0);
    };
    balance.find(&[day_in_part], both, other);
    let three = |cells: &mut Vec<String>| {
        for column in [column::GENERATION, column::CONSUMPTION, column::OWN] {
            add(&mut cells[column], 0.01);
        }
    };
    balance.find(&[noon], three, "generation_kwh is not what the generation meter counted");

    // A quality is that of what is beside it.
    let missing = |cells: &mut Vec<String>| cells[column::QUALITY] = "missing".to_owned();
    balance.find(&[noon], missing, "quality is not that of import_kwh, export_kwh and generation");
    let emptied = |cells: &mut Vec<String>| {
        for place in [column::CONSUMPTION, column::OWN] {
            cells[place].clear();
        }
    };
    balance.find(&[noon], emptied, "quality is not that of consumption_kwh");

    // No row is left out.
    let none = |cells: &mut Vec<String>| cells.clear();
    energy.find(&[&grid, noon], none, "rows are left out before it");
    balance.find(&[noon], none, "rows are left out before it");

    // Gaps are as long as they say, and what lies between readings.
    let spans = in_file("spans.csv");
    let first = [grid.as_str(), ",import,"];
    let longer = |cells: &mut Vec<String>| cells[column::QUARTERS] = "9".to_owned();
    spans.find(&first, longer, "quarters are not those from its beginning to its end");
    let later = |cells: &mut Vec<String>| {
        cells[column::SPAN_TO] = "2026-06-15T10:00:00Z".to_owned();
        cells[column::QUARTERS] = "4".to_owned();
    };
    spans.find(&first, later, "import is measured within a gap of spans");
    let more = |cells: &mut Vec<String>| add(&mut cells[column::SPAN_ENERGY], 0.15);
    let sum = "energies and spans of import do not add up to what readings show";
    spans.find(&first, more, sum);
    let shown = in_file("readings/2026-06.csv");
    let turned = |cells: &mut Vec<String>| add(&mut cells[6], 0.2);
    shown.find(&[&grid, "2026-06-15T11:45:01Z"], turned, sum);

    // Hours and days have a row each as well, in the same digits.
    for (resolution, slot) in [(Resolution::Hour, noon), (Resolution::Day, "2026-06-15T22:00:00Z")]
    {
        let (_folder, path) = make(store, &ExportOrder { resolution, ..order(format) }).await;
        let in_file = |file| Planted { folder: &path, file };
        let more = |cells: &mut Vec<String>| add(&mut cells[column::IMPORT], 0.0001);
        in_file("energy.csv").find(&[&grid, slot], more, other);
        if resolution == Resolution::Hour {
            in_file("energy.csv").find(&[&grid, slot], none, "rows are left out before it");
            in_file("balance.csv").find(&[slot], none, "rows are left out before it");
        }
        in_file("daily.csv").find(&["2026-06-15"], none, "rows are left out before it");
    }
}
