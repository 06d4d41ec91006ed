//! `ebp consent`: a participant's own consent and data, without a page.

mod agreement;
mod export;

use clap::Subcommand;
use ebp_client::{Client, ClientError};
use ebp_core::{
    contract::{Consent, HouseholdRelease},
    model::ConsentState,
};

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
    /// Show the state of your consent, and in which releases of the data set your household is.
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
        Action::Show => return show(&client, arguments.format),
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
    print(text(&consent.map_err(refused)?, None, arguments.format)?)
}

/// Prints consent, and the releases while it holds.
fn show(client: &Client, format: ItemFormat) -> CommandResult {
    let consent = client.consent().map_err(refused)?;
    let releases = match consent.state {
        ConsentState::Granted => releases(client)?,
        ConsentState::NotGranted | ConsentState::Revoked => None,
    };
    print(text(&consent, releases, format)?)
}

/// The releases; none where the server is older than the question, or the certificate may not ask it.
fn releases(client: &Client) -> Result<Option<Vec<HouseholdRelease>>, Failure> {
    match client.releases() {
        Err(ClientError::Problem { status: 403 | 404, .. }) => Ok(None),
        releases => releases.map(Some).map_err(refused),
    }
}

/// Consent as JSON.
#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    consent: &'a Consent,
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<Vec<HouseholdRelease>>,
}

fn release(release: &HouseholdRelease) -> String {
    let HouseholdRelease { number, name, tier, recipient, confirmed_at, detail, .. } = release;
    let to = recipient.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    format!("{number}, {name}, {confirmed_at}: {}{to}, shown: {detail}", tier.name())
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

fn text(
    consent: &Consent,
    releases: Option<Vec<HouseholdRelease>>,
    format: ItemFormat,
) -> Result<String, Failure> {
    if format == ItemFormat::Json {
        let shown = Shown { consent, releases };
        return Ok(serde_json::to_string(&shown).map_err(Failure::failed)? + "\n");
    }
    let mut rows = vec![("consent", consent.state.name().to_owned())];
    rows.extend(consent.granted_at.map(|at| ("granted at", at.to_string())));
    if let Some(text) = &consent.text {
        let language = text.language.map(|language| format!(", {language}")).unwrap_or_default();
        rows.push(("text", format!("version {}{language}", text.version)));
    }
    rows.extend(consent.revoked_at.map(|at| ("revoked at", at.to_string())));
    rows.extend(releases.iter().flatten().map(|of| ("release", release(of))));
    Ok(lines(&rows))
}
