//! Warnings for a registration that is valid but likely to cause problems.

use std::collections::BTreeSet;

use ebp_meter::profile::Profiles;
use uuid::Uuid;

use crate::tell::tell;

/// Tells of models that no profile describes. Other sources than `ebp read` may read such meters.
pub fn tell_unknown_models<'a>(models: impl IntoIterator<Item = &'a str>) {
    for told in unknown_models(models) {
        tell!("ebp: {told}; `ebp meter list` lists the known ones");
    }
}

fn unknown_models<'a>(models: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let profiles = Profiles::embedded();
    let models: BTreeSet<&str> = models.into_iter().collect();
    models
        .into_iter()
        .filter_map(|model| profiles.get(model).err().map(|error| error.to_string()))
        .collect()
}

/// Tells that a household has no location, by which it would be masked.
pub fn tell_no_location(household: Uuid) {
    tell!(
        "ebp: household {household} has no location, so it cannot be masked when consent is \
         revoked: add one with `ebp household edit`, or configure [geocoding]"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unknown_model_is_told_once_with_near_ones() {
        let told = unknown_models(["MT175", "MT157", "mt681", "MT157"]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("MT157") && told[0].contains("MT175"), "{told:?}");
    }
}
