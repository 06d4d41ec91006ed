//! `ebp ca issue`: a certificate for a participant or device that is registered.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ebp_core::{
    private_file,
    scope::{Scope, Scopes},
};
use ebp_fleet::tunnel::protocol::is_administrator_name;
use ebp_server::Settings;
use ebp_store::{Actor, HouseholdId, Names, RegisterEntry, Store, StoreError};
use ebp_survey::{
    Survey,
    authority::{Authority, ClientRequest, Issued, scope_extension},
};
use uuid::Uuid;

use crate::{
    command::local_survey::{self, with_survey},
    exit::{CommandResult, Context, Failure, server},
    stdout::print,
};

/// The heading of the options for the certificate's holder.
const HOLDER: &str = "For whom";

/// How long certificates are valid by default: of participants and devices, and of administrators.
const PARTICIPANTS: Duration = Duration::from_secs(397 * 86_400);
const ADMINISTRATORS: Duration = Duration::from_secs(90 * 86_400);

fn administrator_name(text: &str) -> Result<String, String> {
    if is_administrator_name(text) {
        return Ok(text.to_owned());
    }
    Err("write 1 to 64 letters, digits, and . _ - @".to_owned())
}

/// For whom, for what, and where to.
#[derive(Debug, clap::Args)]
pub struct Issue {
    /// The participant's e-mail address, as registered.
    #[arg(long, required_unless_present_any = ["household", "administrator"], help_heading = HOLDER)]
    email: Option<String>,

    /// A person who connects to devices (remote access), by a name for logs: letters, digits, and
    /// `. _ - @`. Nobody else's certificate permits that.
    #[arg(
        long, value_name = "NAME", help_heading = HOLDER, value_parser = administrator_name,
        conflicts_with_all = ["email", "household", "participant", "device", "scope"]
    )]
    administrator: Option<String>,

    /// The household whose participant it is for, instead of their e-mail address.
    #[arg(long, value_name = "UUID", conflicts_with_all = ["email", "participant"], help_heading = HOLDER)]
    household: Option<Uuid>,

    /// The participant's identifier, as `ebp household add` and `show` print it. Needed if the
    /// server's database cannot be reached; otherwise the participant must be registered in it.
    #[arg(long, value_name = "UUID", help_heading = HOLDER)]
    participant: Option<Uuid>,

    /// The device that will use it; without one it is the participant's own.
    #[arg(long, value_name = "UUID", help_heading = HOLDER)]
    device: Option<Uuid>,

    /// Its scopes: account, household, consent, measurement-read, measurement-write. The default
    /// for a device is consent and measurement-write, for a participant's own all but
    /// measurement-write.
    #[arg(long, value_delimiter = ',', value_name = "SCOPE")]
    scope: Vec<Scope>,

    /// How long it is valid. The default is 397 days, for an administrator 90 days.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    validity: Option<Duration>,

    /// The folder for certificate and key, created if it does not exist. The default is the current
    /// folder.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
}

/// Whom a certificate names.
struct Holder {
    participant: Uuid,
    email: String,
}

/// Why there is no holder.
enum Nobody {
    NoHousehold(Uuid),
    ConsentRevoked,
    NoEmail,
    OtherParticipant,
    NoDevice(Uuid),
    ForeignDevice,
}

impl From<Nobody> for Failure {
    fn from(why: Nobody) -> Self {
        let (message, remedy) = match why {
            Nobody::NoHousehold(household) => {
                (format!("there is no household {household}"), "`ebp household list` lists them")
            }
            Nobody::ConsentRevoked => (
                "the household has revoked its consent".to_owned(),
                "it has no participant any more",
            ),
            Nobody::NoEmail => (
                "nobody is registered with that e-mail address".to_owned(),
                "write it as registered, or register the household first",
            ),
            Nobody::OtherParticipant => (
                "the participant with that e-mail address has another identifier".to_owned(),
                "leave --participant out: the database knows the right one",
            ),
            Nobody::NoDevice(device) => (
                format!("there is no device {device}"),
                "`ebp household show` lists a household's devices",
            ),
            Nobody::ForeignDevice => (
                "the device is not of that participant's household".to_owned(),
                "`ebp household show` lists a household's devices",
            ),
        };
        Self::failed(message).remedy(remedy)
    }
}

impl Issue {
    /// Issues it, once it is known that the files can be written.
    pub fn run(&self, authority: Authority, settings: &Settings) -> CommandResult {
        let certificate_pem = authority.certificate_pem().to_owned();
        if let Some(name) = &self.administrator {
            let issued = self.issue_administrator(name, authority, settings)?;
            return self.hand_out(&issued, &certificate_pem);
        }
        let issued = if local_survey::exists(settings) {
            let issuing =
                |survey: Survey| survey.with_authority(authority, settings.device_certificates);
            with_survey(settings, issuing, async |survey| {
                let holder = self.registered(&**survey.store()).await.map_err(server::store)?;
                let request = self.prepare(holder?)?;
                survey.issue_certificate(&request).await.map_err(server::survey)
            })?
        } else {
            local_survey::require_no_server(settings)?;
            let request = self.prepare(self.named()?)?;
            authority.issue(&request).map_err(server::authority)?
        };
        self.hand_out(&issued, &certificate_pem)
    }

    /// Issues a person's certificate for remote access.
    fn issue_administrator(
        &self,
        name: &str,
        authority: Authority,
        settings: &Settings,
    ) -> Result<Issued, Failure> {
        for file in self.files(&format!("administrator-{name}")) {
            refuse_to_overwrite(&file)?;
        }
        make_writable(&self.output)?;
        let validity = self.validity.unwrap_or(ADMINISTRATORS);
        if !local_survey::exists(settings) {
            local_survey::require_no_server(settings)?;
            return authority.issue_administrator(name, validity).map_err(server::authority);
        }
        let issuing =
            |survey: Survey| survey.with_authority(authority, settings.device_certificates);
        with_survey(settings, issuing, async |survey| {
            survey.issue_administrator(name, validity).await.map_err(server::survey)
        })
    }

    /// What is to be issued, once it is known that the files can be written.
    fn prepare(&self, holder: Holder) -> Result<ClientRequest, Failure> {
        let scopes = match self.scope.as_slice() {
            [] => usual_scopes(self.device.is_some()),
            scopes => scopes.iter().copied().collect(),
        };
        if let Some(device) = self.device {
            for file in self.files(&device.to_string()) {
                refuse_to_overwrite(&file)?;
            }
        }
        make_writable(&self.output)?;
        let Holder { participant, email } = holder;
        let (device, validity) = (self.device, self.validity.unwrap_or(PARTICIPANTS));
        Ok(ClientRequest { participant, email, device, scopes, validity })
    }

    fn hand_out(&self, issued: &Issued, authority_pem: &str) -> CommandResult {
        let RegisterEntry { serial, scopes, not_after, .. } = &issued.entry;
        let name = match (&self.administrator, self.device) {
            (Some(name), _) => format!("administrator-{name}"),
            (None, Some(device)) => device.to_string(),
            (None, None) => format!("participant-{serial}"),
        };
        let scopes = match &self.administrator {
            Some(_) => scope_extension::TUNNEL.to_owned(),
            None => scopes.to_string(),
        };
        let [chain, key] = self.files(&name);
        issued.save(&chain, &key).map_err(server::authority)?;
        self.save_authority(authority_pem)?;
        let text = format!(
            "serial       {serial}\nscopes       {scopes}\nvalid until  {not_after}\ncertificate  {}\nkey          {}\n",
            chain.display(),
            key.display()
        );
        print(&text)
    }

    /// The authority's certificate goes with a participant's own, so that the folder is complete.
    fn save_authority(&self, authority_pem: &str) -> CommandResult {
        let path = self.output.join("ca.pem");
        if self.device.is_some() || path.exists() {
            return Ok(());
        }
        fs::write(&path, authority_pem).or_failed(format!("cannot write {}", path.display()))
    }

    fn files(&self, name: &str) -> [PathBuf; 2] {
        ["pem", "key"].map(|ending| self.output.join(format!("{name}.{ending}")))
    }

    /// Who is named, where no database is at hand.
    fn named(&self) -> Result<Holder, Failure> {
        match (self.participant, &self.email) {
            (Some(participant), Some(email)) => Ok(Holder { participant, email: email.clone() }),
            _ => Err(Failure::failed(
                "there is no database here in which to look up the participant",
            )
            .remedy("give --participant, as `ebp household add` and `show` print it, and --email")),
        }
    }

    /// The registered participant that the arguments name; a given device belongs to them.
    async fn registered(&self, store: &dyn Store) -> Result<Result<Holder, Nobody>, StoreError> {
        let (participant, email) = match (self.household, &self.email) {
            (Some(household), _) => {
                let found = match store.registration(HouseholdId(household)).await {
                    Err(StoreError::NotFound) => return Ok(Err(Nobody::NoHousehold(household))),
                    found => found?,
                };
                let contact = found.participant_uuid.zip(found.participant);
                let Some((participant, contact)) = contact else {
                    return Ok(Err(Nobody::ConsentRevoked));
                };
                if self.device.is_some_and(|device| !found.measurement_devices.contains(&device)) {
                    return Ok(Err(Nobody::ForeignDevice));
                }
                (participant, contact.email)
            }
            (None, email) => {
                let email = email.clone().unwrap_or_default();
                match store.participant(&email).await {
                    Err(StoreError::NotFound) => return Ok(Err(Nobody::NoEmail)),
                    found => (found?, email),
                }
            }
        };
        if self.participant.is_some_and(|named| named != participant) {
            return Ok(Err(Nobody::OtherParticipant));
        }
        let (named, device) = (Some(participant), self.device);
        let names = Names { participant: named, email: email.clone(), device };
        Ok(match (store.actor(&names).await?, device) {
            (Actor::Participant { .. }, _) => Ok(Holder { participant, email }),
            (Actor::Unknown, Some(device)) => Err(Nobody::NoDevice(device)),
            (Actor::Revoked, _) => Err(Nobody::ConsentRevoked),
            _ => Err(Nobody::ForeignDevice),
        })
    }
}

/// The scopes of a certificate that asks for none: what its holder needs and nothing more
/// (thesis 4.3.1: the participant sees and controls everything but writes no measurements).
pub fn usual_scopes(is_device: bool) -> Scopes {
    if is_device {
        return Scopes::of_a_device();
    }
    Scope::ALL.into_iter().filter(|scope| *scope != Scope::MeasurementWrite).collect()
}

/// Makes the folder if it is not there, and sees that files can be made in it: a certificate that
/// that cannot be handed out would stay in the register.
fn make_writable(folder: &Path) -> CommandResult {
    private_file::create_folder(folder).or_failed(format!("cannot make {}", folder.display()))?;
    let probe = folder.join(format!(".{}", Uuid::new_v4()));
    private_file::options()
        .write(true)
        .create_new(true)
        .open(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .or_failed(format!("cannot write in {}", folder.display()))
        .map_err(|failure| failure.remedy("choose another folder with --output"))
}

fn refuse_to_overwrite(path: &Path) -> CommandResult {
    if path.exists() {
        return Err(Failure::failed(format!("{} exists already", path.display()))
            .remedy("move it away, or choose another folder with --output"));
    }
    Ok(())
}
