//! Writes the page of a report, with a map of the households that revoked their consent.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;
use ebp_anon::{Position, region_svg};
use ebp_core::evaluation::Evaluation;
use ebp_server::Settings;
use ebp_store::{StoreError, masking::load_regions, open_store};
use ebp_web::{
    kit::language::Language,
    report::{EnergyFigures, RegionMap, ReportPage},
};

use crate::{
    exit::{CommandResult, Context, Failure, server},
    new_file::write_new_private,
};

/// The language of a page.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PageLanguage {
    /// German.
    De,
    /// English.
    En,
}

/// Writes the page; with `settings` of a database it has energies and a map.
pub fn write(
    path: &Path,
    evaluation: &Evaluation,
    withheld: usize,
    settings: Option<&Settings>,
    language: PageLanguage,
) -> CommandResult {
    let language = match language {
        PageLanguage::De => Language::De,
        PageLanguage::En => Language::En,
    };
    let (energy, map) = match settings {
        Some(settings) => (energy(settings, evaluation)?, map(settings)?),
        None => (None, None),
    };
    let page = ReportPage { evaluation, withheld, energy, map, language };
    let html = page.html().or_failed("the page")?;
    write_new_private(path, html.as_bytes())
}

#[cfg(feature = "export")]
fn energy(settings: &Settings, evaluation: &Evaluation) -> Result<Option<EnergyFigures>, Failure> {
    super::energy::figures(settings, evaluation.terms.window())
}

#[cfg(not(feature = "export"))]
fn energy(_: &Settings, _: &Evaluation) -> Result<Option<EnergyFigures>, Failure> {
    Ok(None)
}

/// The map; none if no location is masked, or there are no regions.
fn map(settings: &Settings) -> Result<Option<RegionMap>, Failure> {
    let revoked = crate::runtime::on_this_thread()?.block_on(async {
        let store = open_store(&settings.database).await?;
        let revoked = store.revoked_households().await?;
        store.close().await?;
        Ok::<_, StoreError>(revoked)
    });
    let revoked = revoked.map_err(server::store)?;
    let masked: Vec<_> = revoked
        .iter()
        .filter_map(|household| household.location.as_ref())
        .filter_map(|it| Some((it, it.masked.as_ref()?)))
        .collect();
    let loaded = match &settings.masking.regions {
        Some(file) => Some(load_regions(file).or_failed("the regions")?),
        None => None,
    };
    let Some(regions) = loaded.as_ref().or_else(|| ebp_anon::embedded()) else { return Ok(None) };
    if masked.is_empty() {
        return Ok(None);
    }
    let (mut counts, mut outside) = (BTreeMap::<&str, u64>::new(), 0);
    for (_, masked) in &masked {
        match masked.nuts3.as_deref() {
            Some(code) => *counts.entry(code).or_default() += 1,
            None => outside += 1,
        }
    }
    let name = |code: &str| {
        let mut named = regions.iter().filter(|region| region.code().as_str() == code);
        named.next().map(|region| region.name().to_owned()).unwrap_or_default()
    };
    let points: Vec<_> =
        masked.iter().filter_map(|(it, _)| Position::new(it.latitude, it.longitude).ok()).collect();
    Ok(Some(RegionMap {
        svg: region_svg::all_with(regions, &points),
        regions: counts
            .iter()
            .map(|(code, count)| ((*code).to_owned(), name(code), *count))
            .collect(),
        outside,
    }))
}
