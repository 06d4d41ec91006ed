//! `ebp consent`: a participant's own consent, without a page.

use std::{
    io::IsTerminal,
    sync::{Arc, atomic::AtomicBool},
};

use clap::Subcommand;
use ebp_client::Client;
use ebp_core::contract::Consent;
use signal_hook::consts::SIGINT;

use super::participant::{Own, refused};
use crate::{
    exit::{CommandResult, Context, Failure},
    output::{ItemFormat, lines},
    stdout::print,
    terminal::Terminal,
};

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
    Grant(Confirmation),
    /// Revoke consent, for good: measuring ends, and what identifies you is deleted.
    Revoke(Confirmation),
}

#[derive(Debug, clap::Args)]
struct Confirmation {
    /// Don't ask for confirmation on the terminal.
    #[arg(long)]
    yes: bool,
}

/// What is said before consent is granted.
const GRANT: &str = "Granting consent starts the measuring of your household's meters. It can be \
                     revoked at any time, and not be granted again after that.";
/// What is said before consent is revoked.
const REVOKE: &str = "Revoking consent ends the measuring for good. Name, e-mail address, address and \
                      incidents are removed, and your location is replaced by a masked one. What was \
                      measured stays without them. This cannot be undone.";

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    let client = arguments.own.connect()?;
    let consent = match &arguments.action {
        Action::Show => client.consent(),
        Action::Grant(confirmation) => {
            confirmation.ask(&client, GRANT, "grant")?;
            client.grant_consent()
        }
        Action::Revoke(confirmation) => {
            confirmation.ask(&client, REVOKE, "revoke")?;
            client.revoke_consent()
        }
    };
    print(text(&consent.map_err(refused)?, arguments.format)?)
}

impl Confirmation {
    /// Asks for the step's name to be typed at the terminal.
    fn ask(&self, client: &Client, what: &str, word: &str) -> CommandResult {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage("there is no terminal to ask on").remedy(format!(
                "type it at a terminal, or confirm it with --yes: {word} consent"
            )));
        }
        // What is impossible is reported before the question.
        client.consent().map_err(refused)?;
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT, stop.clone()).or_failed("signals")?;
        let terminal = Terminal::open(&stop)
            .ok_or_else(|| Failure::failed("there is no terminal to ask on"))?;
        terminal.forget_typed();
        let question = format!("{what}\nType {word} to do it: ");
        let typed = terminal.ask(&question).or_failed("the terminal")?;
        match typed {
            Some(typed) if typed.text() == word => Ok(()),
            _ => {
                Err(Failure::failed("nothing was changed")
                    .remedy(format!("type {word} to confirm it")))
            }
        }
    }
}

fn text(consent: &Consent, format: ItemFormat) -> Result<String, Failure> {
    if format == ItemFormat::Json {
        return Ok(serde_json::to_string(consent).map_err(Failure::failed)? + "\n");
    }
    let mut rows = vec![("consent", consent.state.name().to_owned())];
    rows.extend(consent.granted_at.map(|at| ("granted at", at.to_string())));
    rows.extend(consent.revoked_at.map(|at| ("revoked at", at.to_string())));
    Ok(lines(&rows))
}
