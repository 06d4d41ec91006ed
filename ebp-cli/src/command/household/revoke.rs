//! `ebp household revoke`: a withdrawal of consent that came elsewhere.

use std::{
    io::IsTerminal,
    sync::{Arc, atomic::AtomicBool},
};

use ebp_client::{ClientError, Manager};
use ebp_core::contract::{Withdrawal, WithdrawalChannel, problem_type};
use jiff::civil::Date;
use signal_hook::consts::SIGINT;
use uuid::Uuid;

use super::refused;
use crate::{
    exit::{CommandResult, Context, Failure, chain},
    stdout::print_json,
    terminal::Terminal,
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
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask on")
            .remedy("type it at a terminal, or confirm it with --yes: revoke consent"));
    }
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, stop.clone()).or_failed("signals")?;
    let terminal =
        Terminal::open(&stop).ok_or_else(|| Failure::failed("there is no terminal to ask on"))?;
    terminal.forget_typed();
    let question = format!("{REVOKE}\nType revoke to do it: ");
    match terminal.ask(&question).or_failed("the terminal")? {
        Some(typed) if typed.text() == "revoke" => Ok(()),
        _ => Err(Failure::failed("nothing was changed").remedy("type revoke to confirm it")),
    }
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
