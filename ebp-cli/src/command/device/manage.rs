//! A device's certificates, as administrators see and revoke them.

use ebp_core::{contract::ManagedCertificate, scope::Group};
use ebp_store::StoreError;
use ebp_survey::{
    Survey, SurveyError,
    authority::{Authority, AuthorityError},
};
use uuid::Uuid;

use crate::{
    command::{
        group_api::{GroupApi, refused},
        local_survey::{self, with_survey},
        server_data::ServerData,
    },
    exit::{CommandResult, Failure, server},
    output::{Format, list},
    stdout::print,
    tell::tell,
};

#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// The device.
    device: Uuid,

    #[command(flatten)]
    api: GroupApi,

    #[command(flatten)]
    data: ServerData,
}

#[derive(Debug, clap::Args)]
pub struct Certificates {
    /// The device.
    device: Uuid,

    /// How they are printed; JSON is one object a line.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    api: GroupApi,
}

impl Revoke {
    pub fn run(&self) -> CommandResult {
        let revoked = match self.api.url {
            Some(_) => {
                let manager = self.api.connect(Group::Administrators)?;
                let revoked = manager.revoke_device(self.device);
                revoked.map_err(|error| refused(Group::Administrators, error))?.revoked
            }
            None => self.here()?,
        };
        tell!("ebp: certificates of {} that were revoked by this: {revoked}", self.device);
        tell!("ebp: with a new one-time token `ebp device enroll` gets it another one");
        Ok(())
    }

    /// In the database and the authority's register of this machine.
    fn here(&self) -> Result<u64, Failure> {
        let settings = self.data.settings()?;
        let authority = match Authority::open(&settings.authority, settings.clock.clone()) {
            Err(AuthorityError::Missing { .. }) => None,
            opened => Some(opened.map_err(server::authority)?),
        };
        if !local_survey::exists(&settings) {
            return Err(Failure::failed("there is no database here")
                .remedy("give --data or --config as for `ebp serve`, or --url"));
        }
        let issuing = |survey: Survey| match authority {
            Some(authority) => survey.with_authority(authority, settings.device_certificates),
            None => survey,
        };
        with_survey(&settings, issuing, async |survey| {
            survey.revoke_device(self.device, None).await.map_err(|error| match error {
                SurveyError::Store(StoreError::NotFound) => {
                    Failure::failed(format!("there is no device {}", self.device))
                        .remedy("`ebp household show` lists a household's devices")
                }
                error => server::survey(error),
            })
        })
    }
}

impl Certificates {
    /// A page at a time: a device's list grows as long as it is used.
    pub fn run(&self) -> CommandResult {
        let manager = self.api.connect(Group::Administrators)?;
        let mut cursor: Option<String> = None;
        let mut first = true;
        loop {
            let page = manager.certificates(self.device, cursor.as_deref());
            let page = page.map_err(|error| refused(Group::Administrators, error))?;
            self.print(&page.items, first)?;
            (cursor, first) = (page.next, false);
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn print(&self, certificates: &[ManagedCertificate], first: bool) -> CommandResult {
        let header = ["serial", "scopes", "not_before", "not_after", "revoked_at"];
        let row = |certificate: &ManagedCertificate| {
            [
                certificate.serial.clone(),
                certificate.scopes.clone(),
                certificate.not_before.to_string(),
                certificate.not_after.to_string(),
                certificate.revoked_at.map(|at| at.to_string()).unwrap_or_default(),
            ]
        };
        print(list::list(self.format, header, first, certificates, row)?)
    }
}
