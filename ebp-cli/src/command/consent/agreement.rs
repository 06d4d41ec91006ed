//! Granting consent: the survey's text is read and agreed to.

use std::env;

use ebp_client::{Client, ClientError};
use ebp_core::contract::{ConsentGrant, Language, SurveyInformation, SurveyText};

use crate::{
    command::{
        confirm::{at_terminal, require_terminal, type_word, unchanged},
        participant::refused,
    },
    exit::Failure,
};

/// What is said before consent is granted.
const GRANT: &str = "Granting consent starts the measuring of your household's meters. It can be \
                     revoked at any time, and not be granted again after that.";

/// What is agreed to.
#[derive(Debug, clap::Args)]
pub struct Agreement {
    /// The language of the text: de or en. Without it that of this computer, if there is a text.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<Language>,

    /// The version of the text that was read before, for scripts: with --yes nothing is shown.
    #[arg(long, value_name = "NUMBER", requires = "language")]
    text_version: Option<u32>,

    /// Don't ask for confirmation on the terminal.
    #[arg(long)]
    yes: bool,
}

impl Agreement {
    /// Shows the text, if there is one, and asks for consent.
    pub fn ask(&self, client: &Client) -> Result<ConsentGrant, Failure> {
        let survey = match client.survey() {
            // A server that is older than these texts.
            Err(ClientError::Problem { status: 404, .. }) => SurveyInformation::default(),
            survey => survey.map_err(refused)?,
        };
        if self.yes {
            return self.confirmed(&survey);
        }
        let what = match survey.text_version {
            Some(version) => format!("--language de --text-version {version} --yes: grant consent"),
            None => "--yes: grant consent".to_owned(),
        };
        require_terminal(&format!("confirm it with {what}"))?;
        // What is impossible is reported before the question.
        client.consent().map_err(refused)?;
        let (text, grant) = match survey.text_version {
            None => (None, ConsentGrant::default()),
            Some(version) => {
                if self.text_version.is_some_and(|read| read != version) {
                    return Err(changed(version));
                }
                let text = self.choose(&survey.texts)?;
                let language = Some(text.language);
                (Some(text), ConsentGrant { text_version: Some(version), language })
            }
        };
        let question = "Type grant to do it: ";
        at_terminal(|terminal| {
            let mut shown = match text {
                None => format!("{GRANT}\n{question}"),
                Some(text) => format!(
                    "{}\n{GRANT}\nType details for the whole information. {question}",
                    text.summary
                ),
            };
            loop {
                match (type_word(terminal, &shown)?.as_deref(), text) {
                    (Some("grant"), _) => return Ok(grant),
                    (Some("details"), Some(text)) => {
                        shown = format!("{}\n{question}", text.details);
                    }
                    _ => return Err(unchanged("grant")),
                }
            }
        })
    }

    /// What was confirmed on the command line.
    fn confirmed(&self, survey: &SurveyInformation) -> Result<ConsentGrant, Failure> {
        match (survey.text_version, self.text_version) {
            (None, None) => Ok(ConsentGrant::default()),
            (None, Some(_)) => Err(Failure::failed("the survey has no text to agree to")
                .remedy("leave --text-version out")),
            (Some(version), None) => Err(Failure::usage("it is not said which text is agreed to")
                .remedy(format!(
                    "read it at a terminal, or at {}; then give its language and version: \
                     --language de --text-version {version}",
                    ebp_core::contract::paths::SURVEY
                ))),
            (Some(version), Some(read)) if version != read => Err(changed(version)),
            (Some(version), Some(_)) => {
                Ok(ConsentGrant { text_version: Some(version), language: self.language })
            }
        }
    }

    /// The text in the language that was asked for, or that of the computer.
    fn choose<'a>(&self, texts: &'a [SurveyText]) -> Result<&'a SurveyText, Failure> {
        let find = |language| texts.iter().find(|text| text.language == language);
        if let Some(language) = self.language {
            return find(language).ok_or_else(|| {
                let there: Vec<_> = texts.iter().map(|text| text.language.code()).collect();
                Failure::failed(format!("there is no text in the language {language}"))
                    .remedy(format!("choose among {}", there.join(", ")))
            });
        }
        find(of_computer())
            .or_else(|| texts.first())
            .ok_or_else(|| Failure::failed("the survey's text has no language"))
    }
}

/// The computer's language: German, or else English.
fn of_computer() -> Language {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let said = variables.iter().find_map(|name| env::var(name).ok().filter(|it| !it.is_empty()));
    let is_german = said.is_some_and(|locale| locale.starts_with("de"));
    if is_german { Language::De } else { Language::En }
}

fn changed(version: u32) -> Failure {
    Failure::failed(format!("the text has changed: it has version {version} now"))
        .remedy("read it at a terminal with `ebp consent grant`; nothing was changed")
}
