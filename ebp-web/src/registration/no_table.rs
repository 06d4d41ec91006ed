//! Why a table that was sent is not taken: said where it is sent, and by the address in the other
//! language.

use ebp_survey::import::IMPORT_LIMIT;

use crate::kit::{language::Language, page::Preferences};

/// Why a table is not taken.
#[derive(Clone, Copy)]
pub enum NoTable {
    /// It is no table.
    Unreadable,
    /// It has no rows.
    Empty,
    /// It has more rows than an import takes.
    TooLong,
}

impl NoTable {
    const ALL: [(&'static str, Self); 3] =
        [("no-table", Self::Unreadable), ("no-rows", Self::Empty), ("too-many", Self::TooLong)];

    /// That of the address.
    pub fn named(preferences: &Preferences) -> Option<Self> {
        let asked = preferences.get(FAULT)?;
        Self::ALL.into_iter().find(|(name, _)| *name == asked).map(|(_, fault)| fault)
    }

    /// Its name in the address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "no-table",
            Self::Empty => "no-rows",
            Self::TooLong => "too-many",
        }
    }

    /// What is said of it.
    pub fn text(self, language: Language) -> String {
        match self {
            Self::Unreadable => language.say("reg-import-no-table"),
            Self::Empty => language.say("reg-import-no-rows"),
            Self::TooLong => {
                let most = [("count", IMPORT_LIMIT.to_string().into())];
                language.say_with("reg-import-too-many", most)
            }
        }
    }
}

/// In the address: what is wrong with a table that was sent, for the page in the other language.
pub const FAULT: &str = "fault";
