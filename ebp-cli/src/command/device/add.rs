//! `ebp device add`, `token`, `sign-in-code` and `remove`.

use std::path::{Path, PathBuf};

use ebp_client::renewal;
use ebp_core::{
    contract::{EnrolmentRequest, EnrolmentToken, NewDevice},
    scope::Group,
};
use uuid::Uuid;

use super::{batch, list::refused};
use crate::{
    command::{
        group_api::{self, GroupApi},
        heading::API,
    },
    exit::{CommandResult, Failure},
    stdout::print,
    tell::tell,
};

/// The heading of the options that prepare many devices.
const MANY: &str = "Many devices at once";

/// Which devices are added.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The household.
    #[arg(required_unless_present = "csv")]
    household: Option<Uuid>,

    /// A meter of the household that it reads; may be given several times.
    #[arg(long, value_name = "UUID")]
    meter: Vec<Uuid>,

    /// Prepare many devices: a CSV file with a column `household` (and `meters`, separated by
    /// blanks) to add a device to it, or `device` for an existing one.
    #[arg(long, value_name = "FILE", requires = "output", conflicts_with_all = ["household", "meter"], help_heading = MANY)]
    csv: Option<PathBuf>,

    /// The folder, created if needed, for a sheet (DEVICE.txt) and a token file (DEVICE.token,
    /// readable by its owner only) for each device.
    #[arg(long, value_name = "FOLDER", requires = "csv", help_heading = MANY)]
    output: Option<PathBuf>,

    /// For how many hours the tokens are valid, 1 to 720.
    #[arg(long, value_name = "N", requires = "csv", value_parser = clap::value_parser!(u16).range(1..=720), help_heading = MANY)]
    hours: Option<u16>,

    /// The group whose secret is used.
    #[arg(long, default_value_t = Group::Administrators, help_heading = API)]
    group: Group,

    #[command(flatten)]
    api: GroupApi,
}

/// For which device a token is made, and where it goes.
#[derive(Debug, clap::Args)]
pub struct Token {
    /// The device.
    device: Uuid,

    /// For how many hours it is valid, 1 to 720; by default 72.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=720))]
    hours: Option<u16>,

    /// The file to write it to, readable by its owner only; printed by default.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The group whose secret is used.
    #[arg(long, default_value_t = Group::Administrators, help_heading = API)]
    group: Group,

    #[command(flatten)]
    api: GroupApi,
}

/// For which device's page a sign-in code is made.
#[derive(Debug, clap::Args)]
pub struct SignInCode {
    /// The device.
    device: Uuid,

    /// The group whose secret is used.
    #[arg(long, default_value_t = Group::Administrators, help_heading = API)]
    group: Group,

    #[command(flatten)]
    api: GroupApi,
}

/// Which device is removed.
#[derive(Debug, clap::Args)]
pub struct Remove {
    /// The device.
    device: Uuid,

    #[command(flatten)]
    api: GroupApi,
}

impl Add {
    /// Adds one, or as many as the file has rows.
    pub fn run(&self) -> CommandResult {
        if let (Some(file), Some(folder)) = (&self.csv, &self.output) {
            return batch::run(file, folder, self.hours, (self.group, &self.api));
        }
        let household = self.household.ok_or_else(|| Failure::usage("give a household"))?;
        let new = NewDevice { household, meters: self.meter.clone() };
        let made = self.api.connect(self.group)?.add_device(&new);
        let made = made.map_err(|error| group_api::refused(self.group, error))?;
        print(format!("{}\n", made.uuid))?;
        tell!("ebp: next, `ebp device token {}` makes the token that enrolls it", made.uuid);
        Ok(())
    }
}

impl Token {
    /// Creates it, and prints how to enrol the device with it.
    pub fn run(&self) -> CommandResult {
        // The terminal is opened before a token is created that could not be shown.
        let file = self.output.as_deref().map_or("token".into(), Path::to_string_lossy);
        let command = self.api.enrolment_command(&file)?;
        if let Some(path) = self.output.as_deref().filter(|path| path.exists()) {
            return Err(Failure::failed(format!("{} exists already", path.display()))
                .remedy("move it away, or choose another file with --output"));
        }
        let manager = self.api.connect(self.group)?;
        let request = EnrolmentRequest { hours: self.hours, ..EnrolmentRequest::default() };
        let made = manager.enrolment(self.device, &request);
        let EnrolmentToken { token, sign_in_code, expires_at, .. } =
            made.map_err(|error| group_api::refused(self.group, error))?;
        match &self.output {
            Some(path) => {
                renewal::write_private(path, format!("{token}\n").as_bytes())
                    .map_err(crate::exit::device::renewal)?;
            }
            None => print(format!("{token}\n"))?,
        }
        tell!(
            "ebp: the token is valid until {expires_at:.0}, for one device; on the device, as root:"
        );
        tell!("{command}");
        if let Some(code) = sign_in_code {
            tell!("ebp: the code to sign in to the device's page then, shown once: {code}");
        }
        Ok(())
    }
}

impl SignInCode {
    /// Makes one and prints it.
    pub fn run(&self) -> CommandResult {
        let made = self.api.connect(self.group)?.sign_in_code(self.device);
        let made = made.map_err(|error| group_api::refused(self.group, error))?;
        print(format!("{}\n", made.sign_in_code))?;
        tell!("ebp: it is shown once; the device takes it up within an hour");
        Ok(())
    }
}

impl Remove {
    /// Removes it.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        manager.remove_device(self.device).map_err(refused)?;
        tell!("ebp: device {} is removed", self.device);
        Ok(())
    }
}
