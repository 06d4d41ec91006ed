//! The subcommands, one file each.
//!
//! Enters: parsed arguments. Leaves: output, and [`CommandResult`]. Absent: logic of the domain.

mod address;
#[cfg(feature = "server")]
mod alert;
#[cfg(feature = "server")]
mod anonymize;
#[cfg(feature = "server")]
mod ca;
pub mod completions;
mod confirm;
#[cfg(feature = "server")]
mod consent;
mod cycle;
#[cfg(feature = "server")]
mod demo;
pub mod device;
mod device_clock;
#[cfg(feature = "device-web")]
mod device_page;
mod errors;
#[cfg(feature = "export")]
mod export;
#[cfg(feature = "server")]
mod export_options;
mod find_port;
#[cfg(feature = "server")]
mod geodata;
#[cfg(feature = "server")]
mod group_api;
mod heading;
#[cfg(feature = "server")]
mod household;
#[cfg(feature = "server")]
mod job;
#[cfg(feature = "server")]
mod local_store;
#[cfg(feature = "server")]
mod local_survey;
mod man;
#[cfg(feature = "server")]
mod measurements;
#[cfg(feature = "server")]
mod message;
mod meter;
mod models;
#[cfg(feature = "server")]
mod participant;
mod publish;
mod raw;
mod read;
#[cfg(feature = "server")]
mod release;
#[cfg(feature = "server")]
mod report;
#[cfg(feature = "server")]
mod rollout;
mod secret;
mod self_test;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod server_data;
mod silence;
mod simulate;
#[cfg(feature = "server")]
mod stored;
#[cfg(feature = "server")]
mod survey_texts;
mod transmit;
mod tunnel;
mod unlock;
mod update;
mod waiting;

use clap::{CommandFactory, Parser, Subcommand};

use ebp_errors::Component;

use crate::{error_report::Reported, exit::CommandResult};

/// Read household electricity meters for research, privately and reliably.
#[derive(Debug, Parser)]
#[command(name = "ebp", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Command,

    /// Print more on standard error; twice for details.
    #[arg(short, long, global = true, display_order = 998, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Read(read::Arguments),
    Unlock(unlock::Arguments),
    Meter(meter::Arguments),
    Simulate(simulate::Arguments),
    Transmit(transmit::Arguments),
    Device(device::Arguments),
    Tunnel(tunnel::Arguments),
    Errors(errors::Arguments),
    Update(update::Arguments),
    SelfTest(self_test::Arguments),
    #[cfg(feature = "server")]
    #[command(flatten)]
    Survey(Survey),
    #[cfg(all(feature = "device-web", not(feature = "server")))]
    #[command(subcommand)]
    Serve(Served),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Serve pages.
#[cfg(all(feature = "device-web", not(feature = "server")))]
#[derive(Debug, Subcommand)]
enum Served {
    Device(device_page::Arguments),
}

/// What servers and research groups need, and a device does not.
#[cfg(feature = "server")]
#[derive(Debug, Subcommand)]
enum Survey {
    Serve(serve::Arguments),
    Ca(ca::Arguments),
    Household(household::Arguments),
    Job(job::Arguments),
    Message(message::Arguments),
    Alert(alert::Arguments),
    Rollout(rollout::Arguments),
    Consent(consent::Arguments),
    Measurements(measurements::Arguments),
    Participant(participant::Arguments),
    Report(report::Arguments),
    #[cfg(feature = "export")]
    Export(export::Arguments),
    Anonymize(anonymize::Arguments),
    Geodata(geodata::Arguments),
    Release(release::Arguments),
    Demo(demo::Arguments),
}

impl Cli {
    /// Whether log lines are JSON, according to a server's configuration.
    pub fn logs_json(&self) -> bool {
        match &self.command {
            #[cfg(feature = "server")]
            Command::Survey(Survey::Serve(arguments)) => {
                arguments.log_format() == ebp_server::LogFormat::Json
            }
            _ => false,
        }
    }

    /// Where the errors of this command are reported: those of daemons, and of what timers run.
    pub fn reported(&self) -> Option<Reported> {
        let (component, config) = match &self.command {
            Command::Read(arguments) => (Component::Measuring, arguments.device()?),
            Command::Transmit(arguments) => (Component::Sending, arguments.config()?),
            Command::Tunnel(arguments) => (Component::Tunnel, arguments.config()?),
            Command::Update(arguments) => return arguments.reported(),
            #[cfg(feature = "server")]
            Command::Survey(Survey::Serve(arguments)) => return arguments.reported(),
            #[cfg(all(feature = "device-web", not(feature = "server")))]
            Command::Serve(Served::Device(arguments)) => (Component::Page, arguments.config()?),
            _ => return None,
        };
        // What is wrong with the file is told by the command that reads it.
        Reported::from_file(component, config).ok()
    }

    /// Runs the subcommand to its end.
    pub fn run(self) -> CommandResult {
        match self.command {
            Command::Read(arguments) => read::run(&arguments),
            Command::Unlock(arguments) => unlock::run(&arguments),
            Command::Meter(arguments) => meter::run(&arguments),
            Command::Simulate(arguments) => simulate::run(&arguments),
            Command::Transmit(arguments) => transmit::run(&arguments),
            Command::Device(arguments) => device::run(&arguments),
            Command::Tunnel(arguments) => tunnel::run(&arguments),
            Command::Errors(arguments) => errors::run(&arguments),
            Command::Update(arguments) => update::run(&arguments),
            Command::SelfTest(arguments) => self_test::run(&arguments),
            #[cfg(feature = "server")]
            Command::Survey(command) => command.run(),
            #[cfg(all(feature = "device-web", not(feature = "server")))]
            Command::Serve(Served::Device(arguments)) => device_page::run(&arguments),
            Command::Completions(arguments) => completions::run(&arguments),
            Command::Man(arguments) => man::run(&arguments, Self::command()),
        }
    }
}

#[cfg(feature = "server")]
impl Survey {
    fn run(self) -> CommandResult {
        match self {
            Self::Serve(arguments) => serve::run(&arguments),
            Self::Ca(arguments) => ca::run(&arguments),
            Self::Household(arguments) => household::run(&arguments),
            Self::Job(arguments) => job::run(&arguments),
            Self::Message(arguments) => message::run(&arguments),
            Self::Alert(arguments) => alert::run(&arguments),
            Self::Rollout(arguments) => rollout::run(&arguments),
            Self::Consent(arguments) => consent::run(&arguments),
            Self::Measurements(arguments) => measurements::run(&arguments),
            Self::Participant(arguments) => participant::run(&arguments),
            Self::Report(arguments) => report::run(&arguments),
            #[cfg(feature = "export")]
            Self::Export(arguments) => export::run(&arguments),
            Self::Anonymize(arguments) => anonymize::run(&arguments),
            Self::Geodata(arguments) => geodata::run(&arguments),
            Self::Release(arguments) => release::run(&arguments),
            Self::Demo(arguments) => demo::run(&arguments),
        }
    }
}
