//! `ebp device enroll`: a device's first certificate, for a one-time token.

use std::path::PathBuf;

use ebp_client::{
    ClientError, ClientOptions, DeviceKey, Enrolled, KeyKind, TlsRefusal, Trust, enroll, renewal,
};
use ebp_core::private_file;

use crate::{
    command::secret,
    exit::{CommandResult, Context, Failure, device},
    file::{read_private, read_text},
    owner,
    stdout::print,
    tell::tell,
};

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
        let own = owner::is_own(&self.output, &["ca.pem", "device.key"]);
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
            renewal::write_private(&key, made.to_pem().as_bytes()).map_err(device::renewal)?;
            made
        };
        let options = ClientOptions::default();
        let Enrolled { certificate: answer, authority } =
            enroll(&self.url, &trust, token.trim(), &device_key, options).map_err(refused)?;
        renewal::write_private(&ca, authority.as_bytes()).map_err(device::renewal)?;
        renewal::write_private(&certificate, answer.chain.as_bytes()).map_err(device::renewal)?;
        owner::give(&self.output, own, &[ca.clone(), certificate.clone(), key.clone()]);
        let text = format!(
            "device       {}\nvalid until  {}\ncertificate  {}\nkey          {}\nauthority    {}\n",
            answer.device,
            answer.not_after,
            certificate.display(),
            key.display(),
            ca.display()
        );
        print(&text)?;
        tell!(
            "ebp: next, `ebp device init --folder {} --url {}` writes its configuration",
            self.output.display(),
            self.url
        );
        Ok(())
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
