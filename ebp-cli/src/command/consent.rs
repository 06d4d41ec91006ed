//! `ebp consent`: a participant's own consent and data, without a page.

mod agreement;
mod export;

use clap::Subcommand;
use ebp_client::Client;
use ebp_core::contract::Consent;

use super::{
    confirm::{at_terminal, require_terminal, type_word, unchanged},
    participant::{Own, refused},
};
use crate::{
    exit::{CommandResult, Failure},
    output::{ItemFormat, lines},
    stdout::print,
};
use agreement::Agreement;
use export::Export;

/// Show, grant or revoke your own consent, as a participant of the survey.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    own: Own,

    /// How consent is printed.
    #[arg(long, global = true, value_enum, default_value_t = ItemFormat::Table)]
    format: ItemFormat,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the state of your consent.
    Show,
    /// Grant consent: from now on your meters are measured. This is possible once.
    ///
    /// The survey's text is shown first, if it has one. Which version of it you agree to is stored
    /// with your consent.
    Grant(Agreement),
    /// Revoke consent, for good: measuring ends, and what identifies you is deleted.
    Revoke(Confirmation),
    /// Write everything that the survey holds about your household to a file, as JSON.
    ///
    /// This is possible until consent is revoked.
    Export(Export),
}

#[derive(Debug, clap::Args)]
struct Confirmation {
    /// Don't ask for confirmation on the terminal.
    #[arg(long)]
    yes: bool,
}

/// What is said before consent is revoked.
const REVOKE: &str = "Revoking consent ends the measuring for good. Name, e-mail address, address, \
                      messages and incidents are removed, and your location is replaced by a masked \
                      one. What was measured stays without them. This cannot be undone. `ebp consent \
                      export` writes a copy of everything before.";

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    let client = arguments.own.connect()?;
    let consent = match &arguments.action {
        Action::Show => client.consent(),
        Action::Grant(agreement) => {
            let grant = agreement.ask(&client)?;
            client.grant_consent_to(&grant)
        }
        Action::Revoke(confirmation) => {
            confirmation.ask(&client, REVOKE, "revoke")?;
            client.revoke_consent()
        }
        Action::Export(export) => return export.run(&client),
    };
    print(text(&consent.map_err(refused)?, arguments.format)?)
}

impl Confirmation {
    /// Asks for the step's name to be typed at the terminal.
    fn ask(&self, client: &Client, what: &str, word: &str) -> CommandResult {
        if self.yes {
            return Ok(());
        }
        require_terminal(&format!("confirm it with --yes: {word} consent"))?;
        // What is impossible is reported before the question.
        client.consent().map_err(refused)?;
        let question = format!("{what}\nType {word} to do it: ");
        at_terminal(|terminal| match type_word(terminal, &question)? {
            Some(typed) if typed == word => Ok(()),
            _ => Err(unchanged(word)),
        })
    }
}

fn text(consent: &Consent, format: ItemFormat) -> Result<String, Failure> {
    if format == ItemFormat::Json {
        return Ok(serde_json::to_string(consent).map_err(Failure::failed)? + "\n");
    }
    let mut rows = vec![("consent", consent.state.name().to_owned())];
    rows.extend(consent.granted_at.map(|at| ("granted at", at.to_string())));
    if let Some(text) = consent.text {
        let language = text.language.map(|language| format!(", {language}")).unwrap_or_default();
        rows.push(("text", format!("version {}{language}", text.version)));
    }
    rows.extend(consent.revoked_at.map(|at| ("revoked at", at.to_string())));
    Ok(lines(&rows))
}
