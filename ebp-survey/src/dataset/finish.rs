//! The tables of households, and the descriptions of the whole set.

use std::sync::Arc;

use ebp_dataset::{
    day_number,
    files::{
        CONSENTS, Cell, DAILY, Decimal, Described, FLAG_LIST, Format, HOUSEHOLDS, INCIDENTS, Lost,
        METERS, MeterQuality, PV_SYSTEMS, QUALITY, SPANS, Tier, citation, croissant, data_package,
        flag_rows, hash_file, licence, oemetadata, quality_page, readme, sums,
    },
};
use ebp_store::Store;
use jiff::Timestamp;
use rust_decimal::Decimal as Exact;
use serde_json::json;

use super::{
    ExportError, ExportOrder,
    facts::{HouseholdFacts, MeterFacts},
    folder::Folder,
    lines,
    plan::Plan,
};

/// Notices of whoever provided the regions that locations are masked by, if any is masked.
pub(super) async fn notices(
    store: &Arc<dyn Store>,
    folder: &Folder,
) -> Result<Vec<String>, ExportError> {
    if folder.is_complete() {
        return Ok(Vec::new());
    }
    let mut has_masked = false;
    folder.each_household(|facts| {
        let location = facts.household.location.as_ref();
        has_masked |= location.is_some_and(|location| location.masked.is_some());
        Ok(())
    })?;
    let mark = if has_masked { store.masked_by().await? } else { None };
    Ok(mark.into_iter().map(|mark| mark.description).collect())
}

/// Writes all that is left to be written.
pub(super) fn write(
    order: &ExportOrder,
    plan: &Plan,
    notices: Vec<String>,
    folder: &mut Folder,
) -> Result<(), ExportError> {
    if folder.is_complete() {
        return Ok(());
    }
    series(order, folder)?;
    households(order, folder)?;
    belongings(order, folder)?;
    folder.save()?;
    describe(order, plan, notices, folder)
}

fn series(order: &ExportOrder, folder: &mut Folder) -> Result<(), ExportError> {
    folder.write_table((&DAILY, "daily"), order.format, |folder, out| {
        folder.each_household(|facts| {
            let household = facts.household.uuid.to_string();
            let days = folder.details(&facts)?.days;
            days.iter().try_for_each(|row| Ok(out.push(&lines::day(&household, row))?))
        })
    })?;
    folder.write_table((&SPANS, "spans"), order.format, |folder, out| {
        let mut meters = Vec::new();
        folder.each_household(|facts| {
            let names = facts.meters.iter().map(|meter| meter.uuid.to_string());
            meters.extend(names.zip(folder.details(&facts)?.spans));
            Ok(())
        })?;
        meters.sort_by(|a, b| a.0.cmp(&b.0));
        for (meter, mut spans) in meters {
            spans.sort_by_key(|span| (span.is_import, span.from));
            for row in &spans {
                out.push(&lines::span(&meter, row))?;
            }
        }
        Ok(())
    })
}

/// A number as a double.
fn double<'a>(number: Exact) -> Cell<'a> {
    number.to_string().parse::<f64>().map_or(Cell::Null, Cell::Double)
}

fn instant<'a>(at: Option<Timestamp>) -> Cell<'a> {
    at.map_or(Cell::Null, |at| Cell::Instant(at.as_microsecond()))
}

fn households(order: &ExportOrder, folder: &mut Folder) -> Result<(), ExportError> {
    folder.write_table((&HOUSEHOLDS, "households"), order.format, |folder, out| {
        folder.each_household(|facts| {
            Ok(out.push(&household(&facts, &facts.household.uuid.to_string()))?)
        })
    })?;
    folder.write_table((&CONSENTS, "consents"), order.format, |folder, out| {
        folder.each_household(|facts| {
            let consent = &facts.household.consent;
            let text = consent.text.as_ref().map(|text| i64::from(text.version));
            Ok(out.push(&[
                facts.household.uuid.to_string().as_str().into(),
                instant(consent.granted_at),
                instant(consent.revoked_at),
                Cell::from_option(text),
            ])?)
        })
    })
}

fn household<'a>(facts: &'a HouseholdFacts, name: &'a str) -> [Cell<'a>; 15] {
    let of = &facts.household;
    let metadata = of.metadata.as_ref();
    let (location, masked) = match &of.location {
        None => (None, None),
        Some(location) => (Some(location), location.masked.as_ref()),
    };
    let kind = location.map(|_| if masked.is_some() { "masked" } else { "true" });
    let state = if of.consent.revoked_at.is_some() { "revoked" } else { "granted" };
    [
        name.into(),
        Cell::from_option(metadata.map(|it| i64::from(it.children))),
        Cell::from_option(metadata.map(|it| i64::from(it.adults))),
        Cell::from_option(metadata.map(|it| i64::from(it.adults_with_job))),
        Cell::from_option(metadata.map(|it| it.electric_vehicle_charger)),
        Cell::from_option(metadata.map(|it| it.heat_pump)),
        Cell::from_option(metadata.map(|it| it.home_battery)),
        Cell::from_option(metadata.map(|it| it.battery.name())),
        Cell::from_option(metadata.map(|it| it.metering_concept.name())),
        state.into(),
        Cell::from_option(masked.and_then(|masked| masked.nuts3.as_deref())),
        Cell::from_option(location.map(|it| it.latitude)),
        Cell::from_option(location.map(|it| it.longitude)),
        Cell::from_option(kind),
        Cell::from_option(facts.topology.as_deref()),
    ]
}

/// Meters, systems and incidents, each sorted by its own identifier.
fn belongings(order: &ExportOrder, folder: &mut Folder) -> Result<(), ExportError> {
    let mut meters: Vec<(String, String, MeterFacts)> = Vec::new();
    let mut systems = Vec::new();
    folder.each_household(|facts| {
        let household = facts.household.uuid.to_string();
        for mut meter in facts.meters {
            meter.parts = Vec::new();
            meters.push((meter.uuid.to_string(), household.clone(), meter));
        }
        systems.extend(facts.systems.into_iter().map(|system| (household.clone(), system)));
        Ok(())
    })?;
    meters.sort_by(|a, b| a.0.cmp(&b.0));
    systems.sort_by_key(|(_, system)| system.uuid);
    folder.write_table((&METERS, "meters"), order.format, |_, out| {
        for (name, household, meter) in &meters {
            let (role, register) = meter.role_name();
            let resolution = meter.resolution.map(ebp_dataset::Energy);
            out.push(&[
                name.as_str().into(),
                household.as_str().into(),
                meter.kind.name().into(),
                meter.model.as_str().into(),
                Cell::Text(role),
                Cell::from_option(register),
                Cell::from_option(resolution),
                meter.read.map_or(Cell::Null, |(first, _)| Cell::Instant(first)),
                meter.read.map_or(Cell::Null, |(_, last)| Cell::Instant(last)),
                meter.power_sign_suspect.into(),
            ])?;
        }
        Ok(())
    })?;
    folder.write_table((&PV_SYSTEMS, "pv_systems"), order.format, |_, out| {
        for (household, system) in &systems {
            let meter = system.meter.map(|meter| meter.to_string());
            out.push(&[
                system.uuid.to_string().as_str().into(),
                household.as_str().into(),
                Cell::from_option(meter.as_deref()),
                double(system.nominal_power),
                double(system.azimuth),
                double(system.tilt),
                Cell::Date(day_number(system.installed_on)),
            ])?;
        }
        Ok(())
    })?;
    folder.write_table((&INCIDENTS, "incidents"), order.format, |_, out| {
        for (name, _, meter) in &meters {
            let mut incidents = meter.incidents.clone();
            incidents.sort_by_key(|incident| incident.kind.name());
            for incident in &incidents {
                out.push(&[
                    name.as_str().into(),
                    incident.kind.name().into(),
                    Cell::Instant(incident.reported_at.as_microsecond()),
                    instant(incident.resolved_at),
                ])?;
            }
        }
        Ok(())
    })?;
    let meters: Vec<_> = meters
        .into_iter()
        .map(|(meter, _, facts)| MeterQuality {
            meter,
            quarters: facts.quality.quarters,
            measured: (facts.quality.import, facts.quality.export),
            flags: facts.quality.flags,
        })
        .collect();
    folder.write_text("QUALITY.md", &quality_page(&meters))?;
    write_quality(&meters, folder)
}

/// The lists beside the tables are CSV, whatever the tables are.
fn write_quality(meters: &[MeterQuality], folder: &Folder) -> Result<(), ExportError> {
    let csv = Format::Csv(Decimal::Point);
    folder.write_list((&QUALITY, "quality"), csv, |out| {
        for meter in meters {
            let (import, export) = meter.measured;
            let counts = [meter.quarters, import, export].into_iter().chain(meter.flags.clone());
            let mut row = vec![Cell::Text(&meter.meter)];
            row.extend(counts.map(|count| Cell::Int(i64::try_from(count).unwrap_or(i64::MAX))));
            out.push(&row)?;
        }
        Ok(())
    })?;
    folder.write_list((&FLAG_LIST, "flags"), csv, |out| {
        for (bit, name, meaning) in flag_rows() {
            out.push(&[bit.into(), name.into(), meaning.into()])?;
        }
        Ok(())
    })
}

fn describe(
    order: &ExportOrder,
    plan: &Plan,
    notices: Vec<String>,
    folder: &Folder,
) -> Result<(), ExportError> {
    let mut files = folder.files().to_vec();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut covers: Option<(i64, i64)> = None;
    folder.each_household(|facts| {
        for (first, last) in facts.meters.iter().filter_map(|meter| meter.read) {
            let (first, last) =
                (lines::slot_of(first), lines::slot_of(last) + ebp_dataset::QUARTER);
            let (from, to) = order.stretch();
            let (first, last) = (first.max(from), last.min(to));
            let wider = |(a, b): (i64, i64)| (a.min(first), b.max(last));
            covers = Some(covers.map_or((first, last), wider));
        }
        Ok(())
    })?;
    let set = Described {
        name: order.name.clone(),
        publisher: order.publisher.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        as_of: order.as_of.as_microsecond(),
        covers: covers.filter(|(from, to)| from < to),
        zone: order.zone.clone(),
        tier: Tier::Internal,
        notices,
        format: order.format,
        step: order.resolution.name(),
        files,
    };
    let lost = Lost { not_granted: plan.not_granted, withheld: plan.withheld };
    let households = plan.households.len() as u64;
    let export = json!({
        "parameters": order.parameters(),
        "tier": set.tier.name(),
        "households": {
            "exported": households,
            "not_granted": plan.not_granted,
            "withheld": plan.withheld,
        },
        "notices": set.notices,
        "files": set.files.iter().map(|file| json!({
            "path": file.path,
            "table": file.table.name,
            "rows": file.rows,
            "sha256": file.sha256,
        })).collect::<Vec<_>>(),
    });
    let texts = [
        ("datapackage.json", data_package(&set)),
        ("oemetadata.json", oemetadata(&set)),
        ("croissant.json", croissant(&set)),
        ("CITATION.cff", citation(&set)),
        ("LICENSE.md", licence(&set)),
        ("README.md", readme(&set, households, lost)),
        ("EXPORT.json", format!("{export:#}\n")),
    ];
    for (name, text) in &texts {
        folder.write_text(name, text)?;
    }
    let mut hashes: Vec<(String, String)> =
        set.files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    let others = texts.iter().map(|(name, _)| *name);
    for name in others.chain(["QUALITY.md", "quality.csv", "flags.csv"]) {
        hashes.push((name.to_owned(), hash_file(&folder.path().join(name))?));
    }
    let list = sums(hashes.iter().map(|(name, hash)| (name.as_str(), hash.as_str())));
    folder.write_text("SHA256SUMS", &list)
}
