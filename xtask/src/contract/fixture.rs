//! A server with households, devices, certificates, tokens and secrets, made by the program itself.
//!
//! Enters: who will ask. Leaves: the running server, schemathesis' arguments, and a description of
//! what there is for its hooks. Absent: requests; the hooks grant consents before the first one.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::cluster::Cluster;
use crate::target;

/// How requests say who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Nobody,
    Certificate,
    Token,
    Group,
}

impl Scheme {
    /// As the API's description calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Certificate => "certificate",
            Self::Token => "token",
            Self::Group => "group",
        }
    }
}

/// Who asks.
pub struct Identity {
    pub name: &'static str,
    scheme: Scheme,
    /// Scopes, or the group.
    roles: &'static [&'static str],
    /// Whether it is one of another household than that whose identifiers are asked for.
    foreign: bool,
}

const ALL: &[&str] = &["account", "household", "consent", "measurement-read", "measurement-write"];

const fn identity(name: &'static str, scheme: Scheme, roles: &'static [&'static str]) -> Identity {
    Identity { name, scheme, roles, foreign: false }
}

/// Every kind.
pub const IDENTITIES: [Identity; 8] = [
    identity("nobody", Scheme::Nobody, &[]),
    identity("a device with all scopes", Scheme::Certificate, ALL),
    identity("a device as it is enrolled", Scheme::Certificate, &["consent", "measurement-write"]),
    identity(
        "a participant",
        Scheme::Certificate,
        &["account", "household", "consent", "measurement-read"],
    ),
    Identity { foreign: true, ..identity("another household's device", Scheme::Certificate, ALL) },
    identity("a bearer of a token", Scheme::Token, ALL),
    identity("a researcher", Scheme::Group, &["researchers"]),
    identity("an administrator", Scheme::Group, &["administrators"]),
];

impl Identity {
    pub fn is_certificate(&self) -> bool {
        self.scheme == Scheme::Certificate
    }

    /// Whether it changes something, each kind of change once.
    pub fn writes(&self) -> bool {
        matches!(self.name, "a device with all scopes" | "a researcher" | "an administrator")
    }

    /// A participant's own certificate names no device.
    fn has_device(&self) -> bool {
        self.name != "a participant"
    }

    /// The operations that it may use, as `METHOD /path`.
    pub fn operations(&self, document: &Value) -> Vec<String> {
        let mut labels = Vec::new();
        for (label, path, operation) in described(document) {
            let security = operation["security"].as_array().filter(|list| !list.is_empty());
            let may = security.is_none_or(|list| list.iter().any(|one| self.satisfies(one)));
            // The description is read before anything is counted.
            if path == "/openapi.json" {
                continue;
            }
            // Another protocol follows, of which nothing is described.
            if operation["responses"]["101"].is_object() {
                continue;
            }
            // They begin in pages and through a tunnel, which are not of the API: `tests/api/session.rs`
            // and the program's tests of tunnels end some.
            let ends = ["/management/session/{uuid}", "/management/tunnel/session/{uuid}"];
            if ends.contains(&path) {
                continue;
            }
            // What belongs to others is unknown to it, which a check of the hooks looks at.
            let own = !(self.foreign && path.contains('{'));
            // A device's only.
            let devices = ["/device/renew", "/device/meter", "/device/frontend", "/device/sign-in"];
            let device = !devices.contains(&path) || self.has_device();
            if may && own && device {
                labels.push(label);
            }
        }
        labels
    }

    fn satisfies(&self, requirement: &Value) -> bool {
        let roles = requirement.get(self.scheme.name()).and_then(Value::as_array);
        let has = |role: &Value| self.roles.iter().any(|own| role == own);
        roles.is_some_and(|roles| roles.iter().all(has))
    }
}

/// Every operation that is described, as `METHOD /path`, with its path.
pub fn described(document: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| {
            (format!("{} {path}", method.to_uppercase()), path.as_str(), operation)
        })
    })
}

/// Of researchers and administrators.
const SECRET: &str = "a secret of the contract's check";
const AUDIENCE: &str = "https://ebp.example.org";
/// The survey, with what may be agreed to besides.
const SURVEY: &str = r#"[survey]
name = "A survey"
controller = "A university, Somewhere 1"
contacts = [{ name = "Researchers", email = "survey@example.org", phone = "0611 123456" }]
purposes = [{ name = "later-studies", de = "Einladen.", en = "Invite." }]
"#;

pub struct Fixture {
    folder: tempfile::TempDir,
    server: Child,
    url: String,
    arguments: Vec<String>,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Fixture {
    pub fn start(identity: &Identity, cluster: Option<&Cluster>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ebp-contract").tempdir()?;
        let at = folder.path();
        let key =
            Ed25519KeyPair::from_seed_unchecked(&[7; 32]).map_err(|_| anyhow::anyhow!("no key"))?;
        let point = BASE64_URL_SAFE_NO_PAD.encode(key.public_key());
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": point}]});
        fs::write(at.join("keys.json"), keys.to_string())?;
        let database = match cluster {
            Some(cluster) => format!("database_url = \"{}\"\n", cluster.database()?),
            None => String::new(),
        };
        let config = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\n{database}[tokens]\naudience = \"{AUDIENCE}\"\nkeys = \"keys.json\"\n{SURVEY}"
        );
        fs::write(at.join("server.toml"), config)?;
        fs::write(at.join("secret"), SECRET)?;
        fs::set_permissions(at.join("secret"), fs::Permissions::from_mode(0o600))?;
        ebp(at, &["ca", "init", "--config", "server.toml"])?;
        for group in ["researchers", "administrators"] {
            ebp(at, &["serve", "secret", "set", group, "--config", "server.toml"])?;
        }
        let (server, url) = serve(at)?;
        let mut fixture = Self { folder, server, url, arguments: Vec::new() };
        fixture.fill(identity, &key)?;
        Ok(fixture)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn ca(&self) -> PathBuf {
        self.folder().join("data/authority/ca.pem")
    }

    /// What the hooks read.
    pub fn description(&self) -> PathBuf {
        self.folder().join("fixture.json")
    }

    /// Those by which schemathesis is that identity.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    fn fill(&mut self, identity: &Identity, key: &Ed25519KeyPair) -> Result<()> {
        let own = self.register("erika@example.org")?;
        let other = self.register("max@example.org")?;
        let asks = if identity.foreign {
            ("max@example.org", &other)
        } else {
            ("erika@example.org", &own)
        };
        let device = asks.1["measurement_device"].as_str().filter(|_| identity.has_device());
        let mut spares = Vec::new();
        let mut certificates = Vec::new();
        for i in 0..10 {
            let email = format!("spare{i}@example.org");
            let spare = self.register(&email)?;
            let device = spare["measurement_device"].as_str().unwrap_or_default();
            let (files, serial) = self.certificate(&email, Some(device), ALL)?;
            certificates.push(json!([device, serial]));
            let token = token(key, &email, Some(device), ALL)?;
            let both = json!({
                "certificate": files,
                "authorization": format!("Bearer {token}"),
                "household": spare["household"],
            });
            spares.push(both);
        }
        let (files, _) =
            self.certificate("erika@example.org", own["measurement_device"].as_str(), ALL)?;
        let consenting = json!([
            files,
            self.certificate("max@example.org", other["measurement_device"].as_str(), ALL)?.0
        ]);
        let mut authorization = "none".to_owned();
        match identity.scheme {
            Scheme::Nobody => {}
            Scheme::Certificate => {
                let (files, _) = self.certificate(asks.0, device, identity.roles)?;
                let [certificate, key] = files;
                self.arguments =
                    vec!["--request-cert".into(), certificate, "--request-cert-key".into(), key];
            }
            Scheme::Token => {
                let value = format!("Bearer {}", token(key, asks.0, device, identity.roles)?);
                self.arguments = vec!["--header".into(), format!("Authorization: {value}")];
                authorization = value;
            }
            Scheme::Group => {
                let group = identity.roles.concat();
                self.arguments = vec!["--auth".into(), format!("{group}:{SECRET}")];
            }
        }
        let basic =
            |group| format!("Basic {}", BASE64_STANDARD.encode(format!("{group}:{SECRET}")));
        let csr = rcgen::CertificateParams::default()
            .serialize_request(&rcgen::KeyPair::generate()?)?
            .pem()?;
        let description = json!({
            "url": self.url,
            "ca": self.ca(),
            "identity": {
                "scheme": identity.scheme.name(),
                "foreign": identity.foreign,
                "authorization": authorization,
                "administers": identity.roles == ["administrators"],
            },
            "households": [own["household"]],
            "meters": own["meters"],
            "pv_systems": own["pv_systems"],
            "devices": [own["measurement_device"]],
            "certificates": certificates,
            "consenting": consenting,
            "spares": spares,
            "administrator": basic("administrators"),
            "researcher": basic("researchers"),
            "csr": csr,
        });
        Ok(fs::write(self.description(), description.to_string())?)
    }

    /// A household, registered over the API by a researcher.
    fn register(&self, email: &str) -> Result<Value> {
        let registration = json!({
            "participant": {"name": "Erika Mustermann", "email": email},
            "address": {"street": "Heidestraße 17", "postal_code": "51147", "city": "Köln", "country": "DE"},
            "location": {"latitude": 50.85, "longitude": 7.1},
            "metadata": {"children": 1, "adults": 2, "adults_with_job": 1, "heat_pump": true,
                         "electric_vehicle_charger": false, "home_battery": false},
            "meters": [{"type": "ELECTRICITY", "model": "MT175"}, {"type": "PV-GENERATION", "model": "MT681"}],
            "pv_systems": [{"nominal_power": 7.48, "azimuth": 180, "tilt": 35,
                            "installed_on": "2019-05-03", "meter": 1}],
        });
        let file = self.folder().join("registration.json");
        fs::write(&file, registration.to_string())?;
        let ca = self.ca();
        let text = ebp(
            self.folder(),
            &[
                "household",
                "add",
                &file.to_string_lossy(),
                "--url",
                &self.url,
                "--ca",
                &ca.to_string_lossy(),
                "--secret-file",
                "secret",
                "--format",
                "json",
            ],
        )?;
        serde_json::from_str(&text).with_context(|| format!("`ebp household add` says {text}"))
    }

    /// A certificate and its key (files), and its serial number.
    fn certificate(
        &self,
        email: &str,
        device: Option<&str>,
        scopes: &[&str],
    ) -> Result<([String; 2], String)> {
        let folder = tempfile::tempdir_in(self.folder())?.keep();
        let (scopes, output) = (scopes.join(","), folder.to_string_lossy());
        let mut arguments = vec![
            "ca",
            "issue",
            "--config",
            "server.toml",
            "--email",
            email,
            "--scope",
            &scopes,
            "--output",
            &output,
        ];
        arguments.extend(device.iter().flat_map(|device| ["--device", device]));
        let text = ebp(self.folder(), &arguments)?;
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map(|line| line.trim().to_owned()).with_context(|| format!("no {name} in {text}"))
        };
        Ok(([of("certificate")?, of("key")?], of("serial")?))
    }
}

/// The year 2100: the task has no clock.
const EXPIRES: u64 = 4_102_444_800;

/// A bearer token.
fn token(
    key: &Ed25519KeyPair,
    email: &str,
    device: Option<&str>,
    scopes: &[&str],
) -> Result<String> {
    let claims = json!({"aud": AUDIENCE, "exp": EXPIRES, "email": email, "device": device,
                        "scope": scopes.join(" ")});
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(&json!({"alg": "EdDSA", "kid": "one"})), encode(&claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    Ok(format!("{message}.{signature}"))
}

/// The server, as soon as it says where it is.
fn serve(at: &Path) -> Result<(Child, String)> {
    let log = fs::File::create(at.join("server.log"))?;
    let mut server = program(at)
        .args(["serve", "--config", "server.toml"])
        // One client asks more than any real one may.
        .env("EBP_SERVER_LIMITS__REQUESTS_PER_SECOND", "0")
        .env("EBP_SERVER_LIMITS__CONNECTIONS_PER_ADDRESS", "0")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines =
        BufReader::new(server.stderr.take().context("no output of the server")?).lines();
    let mut said = String::new();
    let url = loop {
        let Some(line) = lines.next() else { bail!("the server does not start: {said}") };
        let line = line?;
        if let Some((_, rest)) = line.split_once("serving https://") {
            let address = rest.split_whitespace().next().unwrap_or_default();
            break format!("https://{address}");
        }
        said += &line;
    };
    // What it logs is read to the end, or it would wait for that.
    let mut log = fs::File::create(at.join("server.err"))?;
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = writeln!(log, "{line}");
        }
    });
    Ok((server, url))
}

/// `ebp` with the groups' secret on its standard input: what it prints.
fn ebp(at: &Path, arguments: &[&str]) -> Result<String> {
    let output = program(at).args(arguments).stdin(fs::File::open(at.join("secret"))?).output()?;
    if !output.status.success() {
        bail!("`ebp {}`: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn program(at: &Path) -> Command {
    let mut command = Command::new(target().join("debug/ebp"));
    command.current_dir(at);
    command
}
