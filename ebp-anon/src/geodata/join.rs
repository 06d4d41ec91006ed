//! Joins borders and densities to geodata, if both have the same regions (vintage).
//!
//! Enters: borders, densities. Leaves: [`Geodata`](super::Geodata)'s regions, or the codes that do not match.
//! Absent: guessing which old region became which new one.

use std::collections::BTreeSet;

use super::{RegionData, density::Densities, shapefile::Borders};
use crate::RegionCode;

/// Borders and densities are of different vintages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("borders and densities are not of the same vintage: {}", describe(self))]
pub struct VintageMismatch {
    /// Regions that have borders and no density.
    pub without_density: Vec<RegionCode>,
    /// Regions that have a density and no borders.
    pub without_borders: Vec<RegionCode>,
}

fn describe(mismatch: &VintageMismatch) -> String {
    let list = |codes: &[RegionCode], what: &str| {
        let codes: Vec<&str> = codes.iter().map(RegionCode::as_str).collect();
        (!codes.is_empty()).then(|| format!("no {what} for {}", codes.join(", ")))
    };
    let parts =
        [list(&mismatch.without_density, "density"), list(&mismatch.without_borders, "borders")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Gives each region its density.
///
/// Densities of countries that have no borders here are ignored (Eurostat's table has all of
/// Europe); with `countries` both are first reduced to those.
///
/// # Errors
/// Returns [`VintageMismatch`], which names every region that is in one of both only.
pub fn join(
    borders: Borders,
    densities: &Densities,
    countries: &[String],
) -> Result<Vec<RegionData>, VintageMismatch> {
    let asked = |code: RegionCode| {
        countries.is_empty() || countries.iter().any(|country| country == code.country())
    };
    let bordered: BTreeSet<RegionCode> =
        borders.regions.keys().copied().filter(|&code| asked(code)).collect();
    let here: BTreeSet<&str> = bordered.iter().map(RegionCode::country).collect();
    let counted: BTreeSet<RegionCode> = densities
        .by_region
        .keys()
        .copied()
        .filter(|&code| asked(code) && here.contains(code.country()))
        .collect();
    if bordered != counted || bordered.is_empty() {
        return Err(VintageMismatch {
            without_density: bordered.difference(&counted).copied().collect(),
            without_borders: counted.difference(&bordered).copied().collect(),
        });
    }
    Ok(borders
        .regions
        .into_iter()
        .filter_map(|(code, (name, shapes))| {
            let density = *densities.by_region.get(&code)?;
            asked(code).then_some(RegionData { code, name, density, shapes })
        })
        .collect())
}
