//! The models that a program knows: those of profiles, and those that code of its own drives.

use std::sync::Arc;

use super::{Driver, ProfileDriver};
use crate::profile::{Profiles, UnknownModel, nearest};

/// The models that a program knows, in order of their names.
///
/// A program makes one where it begins, from the profiles that come with `ebp-meter`, those of a
/// folder and drivers of its own, and hands it to whoever takes up meters.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    drivers: Vec<Arc<dyn Driver>>,
}

/// A driver's model has a name that is another model's already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name `{name}` of the model {model} is already that of the model {other}")]
pub struct NameTaken {
    /// The name.
    pub name: String,
    /// The model that was to be registered.
    pub model: String,
    /// The model that has the name.
    pub other: String,
}

impl Registry {
    /// The models whose profiles come with the program.
    #[must_use]
    pub fn embedded() -> Self {
        Self::from_profiles(&Profiles::embedded())
    }

    /// The models of those profiles.
    #[must_use]
    pub fn from_profiles(profiles: &Profiles) -> Self {
        let driver = |profile: &_| -> Arc<dyn Driver> {
            Arc::new(ProfileDriver::new(Clone::clone(profile)))
        };
        Self { drivers: profiles.iter().map(driver).collect() }
    }

    /// Puts a driver beside those that are there.
    ///
    /// # Errors
    /// [`NameTaken`] when one of its model's names is another's; nothing is registered then.
    pub fn register(&mut self, driver: Arc<dyn Driver>) -> Result<(), NameTaken> {
        let model = driver.model();
        let taken = model.names().find_map(|name| {
            let other = self.iter().find(|other| other.model().is_called(name))?;
            Some(NameTaken {
                name: name.to_owned(),
                model: model.name.clone(),
                other: other.model().name.clone(),
            })
        });
        if let Some(taken) = taken {
            return Err(taken);
        }
        let key = |driver: &dyn Driver| driver.model().name.to_ascii_lowercase();
        let own = key(&*driver);
        let at = self.drivers.partition_point(|other| key(&**other) < own);
        self.drivers.insert(at, driver);
        Ok(())
    }

    /// The driver of the model of that name or alias, whatever its case.
    ///
    /// # Errors
    /// [`UnknownModel`], which lists near names.
    pub fn driver(&self, name: &str) -> Result<&Arc<dyn Driver>, UnknownModel> {
        let is_named =
            |driver: &&Arc<dyn Driver>| driver.model().name.eq_ignore_ascii_case(name.trim());
        let is_called = |driver: &&Arc<dyn Driver>| driver.model().is_called(name);
        let found = self.iter().find(is_named).or_else(|| self.iter().find(is_called));
        found.ok_or_else(|| UnknownModel {
            name: name.to_owned(),
            near: nearest(
                name,
                self.iter().map(|driver| (driver.model().name.as_str(), driver.model().names())),
            ),
        })
    }

    /// All drivers, in order of their models' names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Driver>> {
        self.drivers.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{Environment, MeterInterface, Model, Site};
    use crate::{port::PortError, readout::Readout};

    #[derive(Debug)]
    struct Own(Model);

    impl Driver for Own {
        fn model(&self) -> &Model {
            &self.0
        }

        fn open(&self, site: &Site, _: &Environment) -> Result<Box<dyn MeterInterface>, PortError> {
            Err(PortError::NotFound { port: site.port.clone() })
        }

        fn fit(&self, _: &[Readout]) -> Option<u8> {
            None
        }
    }

    #[test]
    fn a_driver_stands_beside_the_profiles_in_its_place() {
        let mut registry = Registry::embedded();
        let before = registry.iter().count();
        registry.register(Arc::new(Own(Model::new("Imaginary", "Nobody")))).unwrap();
        assert_eq!(registry.driver(" imaginary ").unwrap().model().maker, "Nobody");
        assert_eq!(registry.driver("MT175").unwrap().model().name, "MT175");
        let names: Vec<_> = registry.iter().map(|driver| &driver.model().name).collect();
        assert_eq!(names.len(), before + 1);
        assert!(names.is_sorted_by_key(|name| name.to_ascii_lowercase()), "{names:?}");
        let unknown = registry.driver("Imagineri").unwrap_err();
        assert_eq!(unknown.near, ["Imaginary"]);
        assert_eq!(registry.driver("MT176").unwrap_err().near.first().unwrap(), "MT174");
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let mut registry = Registry::embedded();
        let before = registry.iter().count();
        let mut model = Model::new("Imaginary", "Nobody");
        model.aliases.push("mt175".to_owned());
        let taken = registry.register(Arc::new(Own(model))).unwrap_err();
        let text = "the name `mt175` of the model Imaginary is already that of the model MT175";
        assert_eq!(taken.to_string(), text);
        assert_eq!(registry.iter().count(), before);
    }

    #[test]
    fn every_profile_is_a_driver() {
        let profiles = Profiles::embedded();
        let registry = Registry::from_profiles(&profiles);
        for profile in profiles.iter() {
            let model = registry.driver(&profile.name).unwrap().model();
            assert_eq!(model.flag, Some(profile.flag));
            assert_eq!(model.pin.is_some(), profile.pin.is_some(), "{}", profile.name);
            assert_eq!(model.is_asked, profile.line.is_asked());
        }
        assert_eq!(registry.iter().count(), profiles.iter().count());
    }
}
