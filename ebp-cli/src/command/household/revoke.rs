//! `ebp household revoke`: a withdrawal of consent that came elsewhere.

use ebp_client::{ClientError, Manager};
use ebp_core::contract::{Withdrawal, WithdrawalChannel, problem_type};
use jiff::civil::Date;
use uuid::Uuid;

use super::refused;
use crate::{
    command::confirm::{at_terminal, require_terminal, type_word, unchanged},
    exit::{CommandResult, Failure, chain},
    stdout::print_json,
};

/// What is said before.
const REVOKE: &str = "Consent is revoked for good, as if the participant had done so: measuring ends, \
                      name, e-mail address, address, messages and incidents are removed, and the \
                      location is replaced by a masked one. This cannot be undone.";

/// A withdrawal that came elsewhere.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// The household.
    household: Uuid,

    /// The day on which the withdrawal came, such as 2026-03-09. Its month is kept.
    #[arg(long, value_name = "DATE")]
    received_on: Date,

    /// How it came: letter, phone, e-mail or in-person. It is kept.
    #[arg(long)]
    channel: WithdrawalChannel,

    /// Don't ask for confirmation on the terminal.
    #[arg(long)]
    yes: bool,
}

impl Revoke {
    pub fn run(&self, manager: &Manager) -> CommandResult {
        if !self.yes {
            // What is unknown is reported before the question.
            manager.registration(self.household).map_err(refused)?;
            confirm()?;
        }
        let withdrawal = Withdrawal { received_on: self.received_on, channel: self.channel };
        let revoked = manager.record_withdrawal(self.household, &withdrawal);
        print_json(&revoked.map_err(explain)?)
    }
}

fn confirm() -> CommandResult {
    require_terminal("confirm it with --yes: revoke consent")?;
    let question = format!("{REVOKE}\nType revoke to do it: ");
    at_terminal(|terminal| match type_word(terminal, &question)? {
        Some(typed) if typed == "revoke" => Ok(()),
        _ => Err(unchanged("revoke")),
    })
}

fn explain(error: ClientError) -> Failure {
    let failure = || Failure::failed(chain(&error));
    match &error {
        ClientError::Problem { status: 422, .. } => {
            failure().remedy("correct --received-on; nothing was changed")
        }
        ClientError::Problem { kind, .. } if kind == problem_type::CONSENT_NOT_GRANTED => {
            failure().remedy("nothing is measured; `ebp household remove` removes the registration")
        }
        _ => refused(error),
    }
}
