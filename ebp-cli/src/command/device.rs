//! `ebp device`: a measurement device, its certificate and configuration, and how it is; for
//! administrators all of them.
//!
//! Enters: a device's folder or configuration; an administrator's secret. Leaves: certificates, a
//! configuration, tables. Absent: measuring and sending.

#[cfg(feature = "server")]
mod add;
#[cfg(feature = "server")]
mod batch;
mod connect;
mod enroll;
#[cfg(feature = "server")]
mod errors;
#[cfg(feature = "server")]
mod fleet;
mod init;
#[cfg(feature = "server")]
mod list;
#[cfg(feature = "server")]
mod manage;
mod renew;
mod status;
mod wipe;

use std::path::PathBuf;

use clap::Subcommand;
use ebp_client::ClientOptions;

use crate::{
    exit::{CommandResult, Failure},
    output::TableFormat,
};
use ebp_device::config::{Api, DeviceConfig};
use enroll::Enroll;
use init::Init;

/// Enroll and configure a measurement device, and renew its certificate; as an administrator,
/// manage all devices.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Get the first certificates of the device and its page for a one-time token.
    ///
    /// The keys are generated on this machine, readable by their owner only, and never leave it. If
    /// the answer is lost, run the same command again.
    Enroll(Enroll),
    /// Write the device's configuration: the meters that it reads according to the server, each
    /// with the port at which it was found.
    Init(Init),
    /// Get the next certificates of the device and, with --config, of its page, if two thirds of
    /// their lifetime are over. The daemons do this automatically.
    Renew(renew::Renew),
    /// Overwrite and remove everything of the household that is on this device: spool, keys, PINs, the
    /// log of remote sessions, errors, what is known of updates.
    ///
    /// Nothing is told to the server: revoke the device's certificates there. Configuration, programs
    /// and files of others stay. Refused while the device's services run. If it is interrupted, run it
    /// again.
    Wipe(wipe::Wipe),
    /// List all devices with their households and their state, as an administrator.
    #[cfg(feature = "server")]
    List(list::List),
    /// List all devices by what needs attention, each with its state and what is wrong with it.
    ///
    /// A device is late or silent by its last report and by the last measurement of each of its
    /// meters.
    #[cfg(feature = "server")]
    Fleet(fleet::Fleet),
    /// Show in which slots a device's meters were measured.
    #[cfg(feature = "server")]
    Coverage(fleet::OfDays),
    /// Show a device's incidents, and its versions, spool and damaged telegrams by day, of the last
    /// 400 days.
    #[cfg(feature = "server")]
    History(fleet::History),
    /// List the errors that devices report in groups, and those of the server: types and places in the
    /// program, on how many devices and by which versions, how often and when.
    #[cfg(feature = "server")]
    Errors(errors::Errors),
    /// Silence a device for a while, so that nobody is alerted because of it; or show or end its
    /// silence.
    #[cfg(feature = "server")]
    Silence(fleet::Silence),
    /// Show a device, as JSON.
    #[cfg(feature = "server")]
    Show(list::Show),
    /// Add a device to a household; or prepare many at once, each with a sheet and a token.
    #[cfg(feature = "server")]
    Add(add::Add),
    /// Create a one-time token to enroll a device. An earlier one that was not used becomes
    /// invalid.
    #[cfg(feature = "server")]
    Token(add::Token),
    /// Remove a device that was added by mistake. A device that reads meters with measurements, or
    /// has a certificate, cannot be removed.
    #[cfg(feature = "server")]
    Remove(add::Remove),
    /// Make another code to sign in to a device's page, for example because it was lost. The device
    /// takes it up within an hour.
    #[cfg(feature = "server")]
    SignInCode(add::SignInCode),
    /// Revoke every certificate of a device that was lost or stolen, permanently and from its next
    /// request on, and invalidate its one-time tokens. It may be enrolled again.
    ///
    /// With --url the Data API is used, with the administrators' secret; without it the database of
    /// this machine.
    #[cfg(feature = "server")]
    Revoke(manage::Revoke),
    /// List a device's certificates, through the Data API with the administrators' secret.
    #[cfg(feature = "server")]
    Certificates(manage::Certificates),
    /// Show the certificate and ask the server whether it is accepted; with --config also the
    /// content of the spool, each meter's last measurement and incidents, and whether the clock is
    /// right.
    Status {
        #[command(flatten)]
        files: Files,

        /// How it is printed.
        #[arg(long, value_enum, default_value_t = TableFormat::Table)]
        format: TableFormat,
    },
}

/// Which device.
#[derive(Debug, clap::Args)]
struct Files {
    /// The device's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "folder")]
    config: Option<PathBuf>,

    /// The folder written by `ebp device enroll`, if there is no configuration yet.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config", requires = "url")]
    folder: Option<PathBuf>,

    /// The Data API's address, with --folder.
    #[arg(long, conflicts_with = "config")]
    url: Option<String>,
}

impl Files {
    fn api(&self) -> Result<Api, Failure> {
        match (&self.config, &self.folder, &self.url) {
            (Some(config), ..) => Ok(DeviceConfig::load(config)?.api),
            (None, Some(folder), Some(url)) => Ok(Api {
                url: url.clone(),
                ca: folder.join("ca.pem"),
                certificate: folder.join("device.pem"),
                key: folder.join("device.key"),
                timeout: ClientOptions::default().timeout,
            }),
            _ => Err(Failure::usage("give --config, or --folder and --url")),
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::Enroll(enroll) => enroll.run(),
        Action::Init(init) => init.run(),
        #[cfg(feature = "server")]
        Action::List(list) => list.run(),
        #[cfg(feature = "server")]
        Action::Fleet(fleet) => fleet.run(),
        #[cfg(feature = "server")]
        Action::Errors(fleet) => fleet.run(),
        #[cfg(feature = "server")]
        Action::Coverage(coverage) => coverage.run(),
        #[cfg(feature = "server")]
        Action::History(history) => history.run(),
        #[cfg(feature = "server")]
        Action::Silence(silence) => silence.run(),
        #[cfg(feature = "server")]
        Action::Show(show) => show.run(),
        #[cfg(feature = "server")]
        Action::Add(add) => add.run(),
        #[cfg(feature = "server")]
        Action::Token(token) => token.run(),
        #[cfg(feature = "server")]
        Action::Remove(remove) => remove.run(),
        Action::Renew(renew) => renew.run(),
        Action::Wipe(wipe) => wipe.run(),
        #[cfg(feature = "server")]
        Action::SignInCode(code) => code.run(),
        #[cfg(feature = "server")]
        Action::Revoke(revoke) => revoke.run(),
        #[cfg(feature = "server")]
        Action::Certificates(certificates) => certificates.run(),
        Action::Status { files, format } => {
            let config = files.config.as_deref().map(DeviceConfig::load).transpose()?;
            status::status(&files.api()?, config.as_ref(), *format)
        }
    }
}
