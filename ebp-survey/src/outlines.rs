//! The picture of all regions, made once for the geodata that are loaded.

use std::sync::{Arc, Mutex, PoisonError};

use ebp_anon::region_svg;
use ebp_store::masking::Masking;

/// The picture, and the geodata that it shows.
#[derive(Default)]
pub(crate) struct Outlines(Mutex<Option<(Arc<Masking>, Arc<str>)>>);

impl Outlines {
    /// The picture of these regions, drawn if the one that is kept shows others; none if there are
    /// no regions.
    pub(crate) fn draw(&self, masking: Arc<Masking>) -> Option<Arc<str>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((shown, svg)) = &*kept
            && Arc::ptr_eq(shown, &masking)
        {
            return Some(svg.clone());
        }
        let svg: Arc<str> = region_svg::all(masking.regions()?).into();
        *kept = Some((masking, svg.clone()));
        Some(svg)
    }
}
