//! The set of all known models.
//!
//! Enters: the embedded files and those of a folder. Leaves: [`Profiles`], which finds a model by
//! its name. Absent: any use of a profile.

use std::{fs, io, path::Path};

use super::{Profile, ProfileError, UnknownModel, nearest};
use crate::file::read_regular;

/// The greatest size of a profile, bytes; the embedded ones have some thousand.
const LONGEST: u64 = 1 << 20;

/// The files in `profiles/`; a test compares the list with the folder.
const EMBEDDED: &[(&str, &str)] = &[
    ("12ec3.toml", include_str!("../../profiles/12ec3.toml")),
    ("as1440.toml", include_str!("../../profiles/as1440.toml")),
    ("as2018.toml", include_str!("../../profiles/as2018.toml")),
    ("dd3-od.toml", include_str!("../../profiles/dd3-od.toml")),
    ("dd3.toml", include_str!("../../profiles/dd3.toml")),
    ("dtz541-zdba.toml", include_str!("../../profiles/dtz541-zdba.toml")),
    ("dtz541.toml", include_str!("../../profiles/dtz541.toml")),
    ("dvs74.toml", include_str!("../../profiles/dvs74.toml")),
    ("dws7412.toml", include_str!("../../profiles/dws7412.toml")),
    ("dws76.toml", include_str!("../../profiles/dws76.toml")),
    ("dwsb20.toml", include_str!("../../profiles/dwsb20.toml")),
    ("e220.toml", include_str!("../../profiles/e220.toml")),
    ("e320.toml", include_str!("../../profiles/e320.toml")),
    ("easy.toml", include_str!("../../profiles/easy.toml")),
    ("ed300l.toml", include_str!("../../profiles/ed300l.toml")),
    ("ehz.toml", include_str!("../../profiles/ehz.toml")),
    ("gh305.toml", include_str!("../../profiles/gh305.toml")),
    ("lk13be.toml", include_str!("../../profiles/lk13be.toml")),
    ("mb310.toml", include_str!("../../profiles/mb310.toml")),
    ("mme40.toml", include_str!("../../profiles/mme40.toml")),
    ("mt174.toml", include_str!("../../profiles/mt174.toml")),
    ("mt175.toml", include_str!("../../profiles/mt175.toml")),
    ("mt631.toml", include_str!("../../profiles/mt631.toml")),
    ("mt681-d4a51.toml", include_str!("../../profiles/mt681-d4a51.toml")),
    ("mt681.toml", include_str!("../../profiles/mt681.toml")),
    ("mt691.toml", include_str!("../../profiles/mt691.toml")),
    ("openway.toml", include_str!("../../profiles/openway.toml")),
    ("picus.toml", include_str!("../../profiles/picus.toml")),
    ("q3c.toml", include_str!("../../profiles/q3c.toml")),
    ("q3d.toml", include_str!("../../profiles/q3d.toml")),
    ("sgm-2t.toml", include_str!("../../profiles/sgm-2t.toml")),
    ("sgm-c4.toml", include_str!("../../profiles/sgm-c4.toml")),
    ("sgm-d4.toml", include_str!("../../profiles/sgm-d4.toml")),
    ("siconia-100a.toml", include_str!("../../profiles/siconia-100a.toml")),
    ("siconia.toml", include_str!("../../profiles/siconia.toml")),
    ("smarty.toml", include_str!("../../profiles/smarty.toml")),
];

/// The known models, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    profiles: Vec<Profile>,
}

impl Profiles {
    /// The models that come with the program.
    ///
    /// # Panics
    /// Never: a test reads every embedded file.
    #[must_use]
    pub fn embedded() -> Self {
        let mut profiles = Self::default();
        for (file, text) in EMBEDDED {
            if let Err(error) = profiles.add(file, text) {
                unreachable!("an embedded profile is wrong: {error}");
            }
        }
        profiles
    }

    /// The embedded files by name.
    pub fn embedded_files() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(file, _)| *file)
    }

    /// Adds every `*.toml` of a folder, sorted by name. A model replaces one of the same name that
    /// was there before. Two models of the folder with the same name or alias are an error.
    ///
    /// # Errors
    /// Returns [`ProfileError`] if the folder or a file cannot be read, or if a profile is invalid.
    /// Then no file of the folder is added.
    pub fn load_folder(&mut self, folder: &Path) -> Result<(), ProfileError> {
        let unreadable = |source| ProfileError::Unreadable { path: folder.to_owned(), source };
        let mut files = fs::read_dir(folder)
            .and_then(|entries| {
                entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
            })
            .map_err(unreadable)?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        files.sort();
        let mut added = Self::default();
        for path in files {
            let text = read_regular(&path, LONGEST)
                .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
                .map_err(|source| ProfileError::Unreadable { path: path.clone(), source })?;
            added.add(&path.display().to_string(), &text)?;
        }
        for profile in added.profiles {
            self.replace(profile);
        }
        Ok(())
    }

    /// Adds one profile.
    ///
    /// # Errors
    /// Returns [`ProfileError::Invalid`] if the text is not a valid profile, or if another model
    /// has one of its names.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), ProfileError> {
        let profile = Profile::parse(file, text)?;
        let taken = profile.names().find_map(|name| {
            Some((name, self.profiles.iter().find(|other| other.is_called(name))?))
        });
        if let Some((name, other)) = taken {
            let line = text.lines().position(|line| line.contains(name)).map_or(1, |at| at + 1);
            return Err(ProfileError::Invalid {
                file: file.to_owned(),
                line,
                reason: format!("the name `{name}` is already that of the model {}", other.name),
            });
        }
        self.replace(profile);
        Ok(())
    }

    /// Inserts a profile and removes the model that had its name. Other models lose an alias that
    /// is now a name of this one.
    fn replace(&mut self, profile: Profile) {
        self.profiles.retain(|old| !old.name.eq_ignore_ascii_case(&profile.name));
        for old in &mut self.profiles {
            old.aliases.retain(|alias| !profile.is_called(alias));
        }
        let at = self.profiles.partition_point(|old| {
            old.name.to_ascii_lowercase() < profile.name.to_ascii_lowercase()
        });
        self.profiles.insert(at, profile);
    }

    /// The model of that name or alias, without regard to case.
    ///
    /// # Errors
    /// Returns [`UnknownModel`], which lists similar names, if no model has the name.
    pub fn get(&self, name: &str) -> Result<&Profile, UnknownModel> {
        let named =
            self.profiles.iter().find(|profile| profile.name.eq_ignore_ascii_case(name.trim()));
        let models = || self.iter().map(|profile| (profile.name.as_str(), profile.names()));
        named
            .or_else(|| self.profiles.iter().find(|profile| profile.is_called(name)))
            .ok_or_else(|| UnknownModel { name: name.to_owned(), near: nearest(name, models()) })
    }

    /// All models, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }
}
