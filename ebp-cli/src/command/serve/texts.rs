//! `ebp serve texts`: what participants agree to.

use std::path::PathBuf;

use clap::Subcommand;
use ebp_survey::text::load_texts;

use crate::{
    command::survey_texts,
    exit::{CommandResult, server},
    tell::tell,
};

/// What is done with texts.
#[derive(Debug, Subcommand)]
pub enum TextsAction {
    /// Write a template of the texts, in German and English.
    ///
    /// Its gaps are marked TODO; a server does not start before they are filled in. Let your data
    /// protection officer read it: it is no legal advice.
    New {
        /// The folder.
        folder: PathBuf,
    },
    /// Check whether a server can be started with the texts in a folder.
    Check {
        /// The folder.
        folder: PathBuf,
    },
}

impl TextsAction {
    pub fn run(&self) -> CommandResult {
        match self {
            Self::New { folder } => {
                survey_texts::write_template(folder)?;
                tell!(
                    "ebp: fill in what is marked TODO in {}, then name that folder as `texts` \
                     under [survey] in the configuration",
                    folder.display()
                );
                Ok(())
            }
            Self::Check { folder } => {
                let texts = load_texts(folder).map_err(|error| server::text(&error))?;
                let languages: Vec<_> =
                    texts.texts.iter().map(|text| text.language.code()).collect();
                tell!("ebp: version {} is whole, in {}", texts.version, languages.join(", "));
                Ok(())
            }
        }
    }
}
