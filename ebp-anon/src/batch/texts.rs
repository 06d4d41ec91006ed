//! Texts of the numbers in the output.

use std::collections::HashMap;

use crate::{Decimals, DistanceBounds, RegionCode, Release};

/// Cached texts of numbers. Formatting is most of the work of a row, and a region's numbers are
/// always the same.
#[derive(Default)]
pub struct Texts {
    coordinate: Vec<u8>,
    regions: HashMap<RegionCode, (DistanceBounds, [String; 3])>,
}

impl Texts {
    /// A coordinate with all decimals.
    pub fn coordinate(&mut self, decimals: Decimals) -> &[u8] {
        self.coordinate.clear();
        decimals.append_to(&mut self.coordinate);
        &self.coordinate
    }

    /// Density, least and greatest distance.
    pub fn of_region(&mut self, release: &Release) -> &[String; 3] {
        let bounds = release.bounds();
        let texts = || {
            let metres = [bounds.min_m(), bounds.max_m()].map(|metres| format!("{metres:.1}"));
            let [min, max] = metres;
            (bounds, [release.density().to_string(), min, max])
        };
        let known = self.regions.entry(release.region()).or_insert_with(texts);
        if known.0 != bounds {
            *known = texts();
        }
        &known.1
    }
}
