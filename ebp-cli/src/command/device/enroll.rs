//! `ebp device enroll`: the first certificates of a device and its page, for a one-time token.

use std::path::{Path, PathBuf};

use ebp_client::{
    ClientError, ClientOptions, DeviceKey, Enrolled, KeyKind, TlsRefusal, Trust, enroll, renewal,
};
use ebp_core::{model::device_host_name, private_file};
use ebp_device::frontend::FrontendConfig;

use crate::{
    command::secret,
    exit::{CommandResult, Context, Failure, device},
    file::{read_private, read_text},
    owner,
    stdout::print,
    tell::tell,
};

/// Where the package's units have a device's files, and those of its page.
const UNITS_FOLDER: &str = "/etc/ebp";
pub const UNITS_PAGE: &str = "/etc/ebp-web";

/// The user of the package's unit of the page.
const UNITS_PAGE_USER: &str = "ebp-web";

/// Which server, by which token, and where to.
#[derive(Debug, clap::Args)]
pub struct Enroll {
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

    /// The type of the key.
    #[arg(long, value_enum, default_value_t = Kind::P256)]
    key: Kind,

    /// The folder for ca.pem, device.pem and device.key.
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,

    /// The folder for frontend.pem, frontend.key, sign-in and ca.pem, the files of the page that shows
    /// the household its data; by default `frontend` in the folder of --output. As root, with
    /// --output /etc/ebp, on a machine with the package it is /etc/ebp-web, for the user `ebp-web`.
    #[arg(long, value_name = "FOLDER", help_heading = "The device's page")]
    frontend: Option<PathBuf>,

    /// The user that the page runs as, to whom its files are given.
    #[arg(long, value_name = "USER", help_heading = "The device's page")]
    frontend_owner: Option<String>,

    /// Get no certificate for a page.
    #[arg(long, conflicts_with_all = ["frontend", "frontend_owner"], help_heading = "The device's page")]
    no_frontend: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// ECDSA on the curve P-256.
    P256,
    /// Ed25519.
    Ed25519,
}

impl Enroll {
    /// Enrolls the device.
    pub fn run(&self) -> CommandResult {
        let trust = match (&self.ca, &self.fingerprint) {
            (Some(ca), _) => Trust::Authority(read_text(ca)?),
            (None, Some(text)) => text.parse().map_err(Failure::usage)?,
            (None, None) => return Err(Failure::usage("give --ca or --fingerprint")),
        };
        let file = |name: &str| self.output.join(name);
        let (ca, certificate, key) = (file("ca.pem"), file("device.pem"), file("device.key"));
        if certificate.exists() {
            return Err(Failure::failed(format!("{} exists already", certificate.display()))
                .remedy("`ebp device renew` gets the next one; to start over, move it away"));
        }
        let token = match &self.token_file {
            Some(path) => secret::from_file("the token", path)?,
            None => secret::ask("the one-time token", false)?,
        };
        let frontend = self.page();
        if let Some(frontend) = &frontend {
            frontend.owner().map_err(device::renewal)?;
        }
        let own = owner::is_own(&self.output, &["ca.pem", "device.key", "frontend"]);
        private_file::create_folder(&self.output)
            .or_failed(format!("cannot make {}", self.output.display()))?;
        // Kept before it is used: if the answer is lost, the same key may ask again.
        let device_key = if key.exists() {
            DeviceKey::from_pem(&read_private(&key)?).or_failed(key.display())?
        } else {
            let made = DeviceKey::generate(self.key.into()).map_err(Failure::failed)?;
            renewal::write_private(&key, made.to_pem().as_bytes()).map_err(device::renewal)?;
            made
        };
        let frontend_key = frontend.as_ref().map(|page| self.page_key(page)).transpose()?;
        let options = ClientOptions::default();
        let enrolled =
            enroll(&self.url, &trust, token.trim(), &device_key, frontend_key.as_ref(), options);
        let Enrolled { certificate: answer, authority } = enrolled.map_err(refused)?;
        renewal::write_private(&ca, authority.as_bytes()).map_err(device::renewal)?;
        renewal::write_private(&certificate, answer.chain.as_bytes()).map_err(device::renewal)?;
        let mut files = vec![ca.clone(), certificate.clone(), key.clone()];
        let page = frontend.zip(answer.frontend.as_ref());
        if let Some((page, issued)) = &page {
            let owner = page.owner().map_err(device::renewal)?;
            let chain = issued.chain.as_bytes();
            renewal::write_private_for(owner, &page.certificate(), chain)
                .map_err(device::renewal)?;
            page.keep_authority(&ca).map_err(device::renewal)?;
            if let Some(hash) = &answer.sign_in_hash {
                page.keep_sign_in(hash).map_err(device::renewal)?;
            }
            // Without a user of its own the page is the services' user's.
            if page.owner.is_none() {
                files.extend([page.certificate(), page.key(), page.sign_in(), page.authority()]);
                files.push(page.folder.clone());
            }
        } else if !self.no_frontend {
            tell!("ebp: the server is of an older version and has no certificate for a page");
        }
        owner::give(&self.output, own, &files);
        let mut text = format!(
            "device       {}\nvalid until  {}\ncertificate  {}\nkey          {}\nauthority    {}\n",
            answer.device,
            answer.not_after,
            certificate.display(),
            key.display(),
            ca.display()
        );
        if let Some((page, _)) = &page {
            text += &format!("page         {}\n", page.folder.display());
        }
        print(&text)?;
        if page.is_some() {
            tell!(
                "ebp: its sheet says `http://{0}.local/`: `hostnamectl set-hostname {0}` gives the machine \
                 that name",
                device_host_name(answer.device)
            );
        }
        tell!(
            "ebp: next, `ebp device init --folder {} --url {}` writes its configuration",
            self.output.display(),
            self.url
        );
        Ok(())
    }
}

impl Enroll {
    /// The page whose certificate is wanted.
    fn page(&self) -> Option<FrontendConfig> {
        if self.no_frontend {
            return None;
        }
        let (folder, owner) = match (&self.frontend, &self.frontend_owner) {
            (None, None) if is_for_units(&self.output) => {
                (UNITS_PAGE.into(), Some(UNITS_PAGE_USER.to_owned()))
            }
            (folder, owner) => {
                let usual = || self.output.join("frontend");
                (folder.clone().unwrap_or_else(usual), owner.clone())
            }
        };
        Some(FrontendConfig { folder, owner })
    }

    /// The page's key, kept before it is used.
    fn page_key(&self, page: &FrontendConfig) -> Result<DeviceKey, Failure> {
        page.make_folder().map_err(device::renewal)?;
        let path = page.key();
        if path.exists() {
            return DeviceKey::from_pem(&read_private(&path)?).or_failed(path.display());
        }
        let made = DeviceKey::generate(self.key.into()).map_err(Failure::failed)?;
        let owner = page.owner().map_err(device::renewal)?;
        renewal::write_private_for(owner, &path, made.to_pem().as_bytes())
            .map_err(device::renewal)?;
        Ok(made)
    }
}

/// Whether the package's units serve the page of a device with that folder: their user can read no other
/// folder than that of the package.
pub fn is_for_units(output: &Path) -> bool {
    output == Path::new(UNITS_FOLDER)
        && Path::new(UNITS_PAGE).is_dir()
        && owner::may_give_to(UNITS_PAGE_USER)
}

impl From<Kind> for KeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::P256 => Self::P256,
            Kind::Ed25519 => Self::Ed25519,
        }
    }
}

/// Enrolment's errors with their remedies: there is no configuration yet that could be mended.
fn refused(error: ClientError) -> Failure {
    let remedy = match &error {
        ClientError::InvalidUrl { .. } | ClientError::Unreachable { .. } => "check --url",
        ClientError::Tls { refusal: TlsRefusal::TheirsUntrusted, .. } => {
            "compare --fingerprint or --ca with what `ebp ca init` printed on the server's machine; \
             the token was not sent"
        }
        _ if error.not_authorized() => "ask the administrator for a new token",
        _ => return device::client(error),
    };
    device::client(error).remedy(remedy)
}
