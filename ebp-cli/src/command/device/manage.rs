//! A device's certificates, as administrators see and revoke them.

use std::sync::Arc;

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::ManagedCertificate,
    scope::Group,
};
use ebp_server::authority::{Authority, AuthorityError};
use ebp_store::StoreError;
use uuid::Uuid;

use crate::{
    command::{
        group_api::{GroupApi, refused},
        local_store::with_store,
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
        let authority = match Authority::open(&settings.authority, Arc::new(SystemClock)) {
            Err(AuthorityError::Missing { .. }) => None,
            opened => Some(opened.map_err(server::authority)?),
        };
        let mut known = match &authority {
            Some(authority) => authority.list().map_err(server::authority)?,
            None => Vec::new(),
        };
        known.retain(|entry| entry.device == Some(self.device));
        // The database first: every server goes by it.
        let revoked = with_store(&settings.database, async |store| {
            match store.revoke_device(self.device, known, SystemClock.now()).await {
                Err(StoreError::NotFound) => Ok(None),
                revoked => revoked.map(Some),
            }
        })?;
        let revoked = revoked.ok_or_else(|| {
            Failure::failed("there is no database here")
                .remedy("give --data or --config as for `ebp serve`, or --url")
        })?;
        let revoked = revoked.ok_or_else(|| {
            Failure::failed(format!("there is no device {}", self.device))
                .remedy("`ebp household show` tells a household's devices")
        })?;
        if let Some(authority) = authority {
            authority.revoke_device(self.device).map_err(server::authority)?;
        }
        Ok(revoked)
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
