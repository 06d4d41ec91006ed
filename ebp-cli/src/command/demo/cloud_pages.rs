//! The pages of researchers and administrators, at an address of this machine.
//!
//! Enters: the demo's state. Leaves: a socket and the groups' secrets, which are set in the database and
//! printed. Absent: the pages, which the server serves.

use std::{fs, net::TcpListener};

use ebp_client::renewal;
use ebp_core::scope::Group;
use ebp_server::{Settings, WebSettings, auth::set_secret};
use uuid::Uuid;

use super::{
    progress::Progress,
    state::{State, listen},
};
use crate::{
    command::local_survey::with_survey,
    exit::{Context, Failure, chain, device},
};

/// The folder of port and secrets, in that of the demo.
const FOLDER: &str = "pages";

/// The pages that the demo's server serves.
pub struct CloudPages {
    /// Where they are served.
    pub listener: TcpListener,
    address: String,
    secrets: Vec<(Group, String)>,
}

impl CloudPages {
    /// Listens for browsers, and sets the groups' secrets: those of the last run, or new ones.
    ///
    /// # Errors
    /// Returns an error if there is no port, or a file or the database cannot be written.
    pub fn prepare(state: &State, settings: &mut Settings) -> Result<Self, Failure> {
        let folder = state.folder.join(FOLDER);
        fs::create_dir_all(&folder).or_failed(folder.display())?;
        let (address, listener) = listen(&folder)?;
        listener.set_nonblocking(true).or_failed("the listener")?;
        let mut secrets = Vec::new();
        for group in Group::ALL {
            let kept = folder.join(group.name());
            let secret = match fs::read_to_string(&kept) {
                Ok(secret) => secret.trim().to_owned(),
                Err(_) => {
                    let secret = Uuid::new_v4().simple().to_string();
                    renewal::write_private(&kept, secret.as_bytes()).map_err(device::renewal)?;
                    secret
                }
            };
            secrets.push((group, secret));
        }
        let hashes = settings.secrets.clone();
        with_survey(
            settings,
            |survey| survey,
            async |survey| {
                for (group, secret) in &secrets {
                    let setting = set_secret(&**survey.store(), &hashes, *group, secret);
                    setting.await.map_err(|error| Failure::failed(chain(&error)))?;
                }
                Ok(())
            },
        )?;
        let hostnames = vec!["localhost".to_owned()];
        settings.web = Some(WebSettings { hostnames, ..WebSettings::default() });
        let address = format!("http://localhost:{}", address.port());
        Ok(Self { listener, address, secrets })
    }

    /// Says where the pages are, and by which secrets one gets in.
    pub fn introduce(&self, progress: &Progress) {
        for (group, secret) in &self.secrets {
            let path = match group {
                Group::Researchers => "registration",
                Group::Administrators => "status",
            };
            let address = &self.address;
            progress.tell(&format!("The pages of the {group}: {address}/{path} (secret {secret})"));
        }
    }
}
