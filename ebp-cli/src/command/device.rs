//! `ebp device`: the certificate of a measurement device, and how it is.

#[cfg(feature = "server")]
mod manage;
mod status;

use std::path::PathBuf;

use clap::Subcommand;
use ebp_core::{
    client::{
        Client, ClientOptions, DeviceKey, Enrolled, KeyKind, Trust, enroll,
        renewal::{self, RenewalError, Validity},
    },
    clock::{Clock, SystemClock},
    identity::Identity,
    private_file,
};

use super::secret;
use crate::{
    config::{Api, DeviceConfig, read_private, read_text},
    device,
    exit::{Context, Failure, Outcome, chain},
    stdout::print,
    tell::tell,
};

/// Enroll a measurement device and keep its certificate.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Get the device's first certificate for a one-time token.
    ///
    /// The key is made here, readable by its owner only, and never leaves this machine. If the
    /// answer is lost, the same command finishes what it began.
    Enroll(Enroll),
    /// Get the next certificate, if two thirds of this one's lifetime are over. The daemons do this
    /// by themselves.
    Renew {
        #[command(flatten)]
        files: Files,

        /// Renew now, whether it is due or not.
        #[arg(long)]
        now: bool,
    },
    /// Revoke every certificate of a device that was lost or stolen, for good and from its next
    /// request on, and void its one-time tokens. It may be enrolled anew.
    ///
    /// With --url through the Data API, with the administrators' secret; without it on the server's
    /// own machine.
    #[cfg(feature = "server")]
    Revoke(manage::Revoke),
    /// List a device's certificates, through the Data API with the administrators' secret.
    #[cfg(feature = "server")]
    Certificates(manage::Certificates),
    /// Show the certificate and ask the server whether it is accepted; with --config also what the
    /// spool holds, each meter's last measurement and incidents, and whether the clock is right.
    Status {
        #[command(flatten)]
        files: Files,

        /// How it is printed.
        #[arg(long, value_enum, default_value_t = Shape::Table)]
        format: Shape,
    },
}

#[derive(Debug, clap::Args)]
struct Enroll {
    /// The Data API's address, such as `https://ebp.example.org:8443`.
    #[arg(long)]
    url: String,

    /// The file whose first line is the token; without it the token is asked for on the terminal,
    /// or read from standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The authority's certificate (PEM).
    #[arg(long, value_name = "FILE", required_unless_present = "fingerprint")]
    ca: Option<PathBuf>,

    /// The SHA-256 fingerprint of the authority's certificate, as `ebp ca init` prints it.
    #[arg(long, value_name = "HEX", conflicts_with = "ca")]
    fingerprint: Option<String>,

    /// The kind of key.
    #[arg(long, value_enum, default_value_t = Kind::P256)]
    key: Kind,

    /// Where ca.pem, device.pem and device.key go.
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// ECDSA on the curve P-256.
    P256,
    /// Ed25519.
    Ed25519,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A table for people.
    Table,
    /// A JSON object.
    Json,
}

/// Which device.
#[derive(Debug, clap::Args)]
struct Files {
    /// The device's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "folder")]
    config: Option<PathBuf>,

    /// The folder that `ebp device enroll` filled, where there is no configuration yet.
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

/// Does as the arguments say.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.action {
        Action::Enroll(enroll) => enroll.run(),
        Action::Renew { files, now } => renew(&files.api()?, *now),
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

impl Enroll {
    fn run(&self) -> Outcome {
        let trust = match (&self.ca, &self.fingerprint) {
            (Some(ca), _) => Trust::Authority(read_text(ca)?),
            (None, Some(text)) => text.parse().map_err(Failure::usage)?,
            (None, None) => return Err(Failure::usage("give --ca or --fingerprint")),
        };
        let file = |name: &str| self.output.join(name);
        let (ca, certificate, key) = (file("ca.pem"), file("device.pem"), file("device.key"));
        if certificate.exists() {
            return Err(Failure::failed(format!("{} exists already", certificate.display()))
                .remedy("`ebp device renew` gets the next one; to begin anew move it away"));
        }
        let token = match &self.token_file {
            Some(path) => secret::from_file("the token", path)?,
            None => secret::ask("the one-time token", false)?,
        };
        private_file::create_folder(&self.output)
            .or_failed(format!("cannot make {}", self.output.display()))?;
        // Kept before it is used: if the answer is lost, the same key may ask again.
        let device_key = if key.exists() {
            DeviceKey::from_pem(&read_private(&key)?).or_failed(key.display())?
        } else {
            let made = DeviceKey::generate(match self.key {
                Kind::P256 => KeyKind::P256,
                Kind::Ed25519 => KeyKind::Ed25519,
            });
            let made = made.map_err(Failure::failed)?;
            renewal::write_private(&key, made.to_pem().as_bytes()).map_err(explain)?;
            made
        };
        let options = ClientOptions::default();
        let Enrolled { certificate: answer, authority } =
            enroll(&self.url, &trust, token.trim(), &device_key, options).map_err(|error| {
                let failure = device::client(error);
                match failure.code {
                    crate::exit::Code::NotAuthorized => {
                        failure.remedy("ask the administrator for a new token")
                    }
                    _ => failure,
                }
            })?;
        renewal::write_private(&ca, authority.as_bytes()).map_err(explain)?;
        renewal::write_private(&certificate, answer.chain.as_bytes()).map_err(explain)?;
        let text = format!(
            "device       {}\nvalid until  {}\ncertificate  {}\nkey          {}\nauthority    {}\n",
            answer.device,
            answer.not_after,
            certificate.display(),
            key.display(),
            ca.display()
        );
        print(&text)
    }
}

fn client(api: &Api) -> Result<Client, Failure> {
    // By a renewal the next key is private again, so that it is not held up by the mode of this one.
    let loaded = Identity::load_anyway(&api.certificate, &api.key, &api.ca).map_err(|error| {
        Failure::failed(chain(&error)).remedy("`ebp device enroll` makes the three files")
    })?;
    let (identity, exposed) = loaded;
    if let Some(exposed) = exposed {
        tell!("ebp: the device's key may be known to others: {exposed}");
    }
    Client::new(&api.url, &identity, api.client_options()).map_err(device::client)
}

fn renew(api: &Api, now: bool) -> Outcome {
    let _lock = renewal::lock(&api.key).map_err(explain)?;
    renewal::settle(&api.certificate, &api.key).map_err(explain)?;
    let validity = Validity::of(&api.certificate).map_err(explain)?;
    if !now && SystemClock.now() < validity.due_at() {
        tell!("ebp: the certificate is renewed from {} on", validity.due_at());
        return Ok(());
    }
    let until = renewal::renew(&client(api)?, &api.certificate, &api.key).map_err(explain)?;
    tell!("ebp: the new certificate is valid until {until}");
    Ok(())
}

/// Renewal's errors with their remedies.
pub fn explain(error: RenewalError) -> Failure {
    match error {
        RenewalError::Client(error) => device::client(error),
        error => {
            let failure = Failure::failed(chain(&error));
            match error {
                RenewalError::NoCertificate(_) => {
                    failure.remedy("`ebp device enroll` gets the first one")
                }
                _ => failure,
            }
        }
    }
}
