//! Regions for pages: their outlines, and which one a location lies in.

use std::sync::Arc;

use ebp_anon::{Position, RegionCode, region_svg};
use ebp_core::contract::RegionName;

use crate::{Survey, SurveyError};

impl Survey {
    /// The outlines of all regions by which households are masked, as SVG; none if there are no
    /// regions.
    ///
    /// # Errors
    /// [`SurveyError::Interrupted`] if it could not be drawn.
    pub async fn outlines(self: &Arc<Self>) -> Result<Option<Arc<str>>, SurveyError> {
        let Some(masking) = self.store().masking() else { return Ok(None) };
        let survey = self.clone();
        // Tens of thousands of corners take a while; who comes meanwhile waits for the same picture.
        let draw = move || survey.drawn().draw(masking);
        tokio::task::spawn_blocking(draw).await.map_err(|_| SurveyError::Interrupted)
    }

    /// One region in detail, as SVG; none if there is none of that code.
    #[must_use]
    pub fn outline(&self, code: RegionCode) -> Option<String> {
        region_svg::one(self.store().masking()?.regions()?, code)
    }

    /// The region that a location lies in; none if it lies in none.
    #[must_use]
    pub fn region_at(&self, position: Position) -> Option<RegionName> {
        let masking = self.store().masking()?;
        let region = masking.regions()?.at(position)?;
        Some(RegionName { nuts3: region.code().to_string(), name: region.name().to_owned() })
    }
}
