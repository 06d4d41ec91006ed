//! All known models.
//!
//! Enters: the embedded files and those of a folder. Leaves: [`Profiles`], which finds a model by
//! its name. Absent: what is done with it.

use std::{fs, io, path::Path};

use super::{Profile, ProfileError, UnknownModel, nearest};
use crate::file::read_regular;

/// A profile's bytes, at most: those of the program have some thousand.
const LONGEST: u64 = 1 << 20;

/// The files in `profiles/`; a test holds the list against the folder.
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

/// The known models, in order of their names.
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

    /// Adds every `*.toml` of a folder, in order of their names. A model of the same name replaces
    /// one that was there before; a name or an alias that another model of the folder has is an error.
    ///
    /// # Errors
    /// Returns [`ProfileError`] for a folder or file that cannot be read and for a profile that is
    /// wrong; nothing of the folder is added then.
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
    /// Returns [`ProfileError::Invalid`] when the text is wrong, or when one of its names is
    /// another's.
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

    /// Puts a profile in its place, removing whatever carried its name. Other models lose an alias
    /// that is now its own.
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

    /// The model of that name or alias, whatever its case.
    ///
    /// # Errors
    /// Returns [`UnknownModel`], which lists near names.
    pub fn get(&self, name: &str) -> Result<&Profile, UnknownModel> {
        let named =
            self.profiles.iter().find(|profile| profile.name.eq_ignore_ascii_case(name.trim()));
        let models = || self.iter().map(|profile| (profile.name.as_str(), profile.names()));
        named
            .or_else(|| self.profiles.iter().find(|profile| profile.is_called(name)))
            .ok_or_else(|| UnknownModel { name: name.to_owned(), near: nearest(name, models()) })
    }

    /// All models, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }
}
