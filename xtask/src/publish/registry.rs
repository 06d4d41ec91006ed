//! Pushing to a registry by the OCI distribution protocol.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md>: a blob is uploaded as a
//! whole, a manifest after all that it names. What refers to another manifest (`subject`) is listed by
//! the registry, or, where it does not say so, under a tag that is made of the other's digest.

use std::{thread::sleep, time::Duration};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Method, StatusCode, Url,
    blocking::{Client, RequestBuilder, Response},
    header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

use super::{challenge::Challenge, credentials::Login};
use crate::image::layout::{Descriptor, Layout, children, digest, media};

/// How long a blob may take.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Tries of a request that the registry is too busy for, or that the network loses.
const TRIES: u32 = 4;
/// The longest wait between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A repository of images.
pub struct Registry {
    client: Client,
    /// `https://HOST/v2/`.
    base: Url,
    repository: String,
    login: Option<Login>,
    /// The header that was accepted last. It is a secret.
    authorization: Option<String>,
}

impl Registry {
    /// The repository `HOST/PATH`. `plain` is without TLS, for a registry of this machine only.
    ///
    /// # Errors
    /// When the name cannot be used.
    pub fn new(name: &str, login: Option<Login>, plain: bool) -> Result<Self> {
        let (host, repository) = name.split_once('/').context("a registry is HOST/REPOSITORY")?;
        let scheme = if plain { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/v2/"))?;
        let is_local = matches!(base.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if plain && !is_local {
            bail!("without TLS only a registry of this machine is spoken to, not {host}");
        }
        let is_name = |part: &str| {
            let known = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
            };
            part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.bytes().all(known)
        };
        if !repository.split('/').all(is_name) {
            bail!("`{repository}` is no name of a repository");
        }
        // One provider for the whole tree; it may be there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client, base, repository: repository.to_owned(), login, authorization: None })
    }

    /// The digest of what the tag names.
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub fn tagged(&mut self, tag: &str) -> Result<Option<String>> {
        Ok(self.manifest(tag)?.map(|bytes| digest(&bytes)))
    }

    /// Pushes a manifest or an index with all that it names, and then tags it.
    ///
    /// # Errors
    /// When the registry refuses it.
    pub fn push(&mut self, layout: &Layout, top: &Descriptor, tag: Option<&str>) -> Result<()> {
        let bytes = layout.read(top)?;
        for child in children(&bytes)? {
            if [media::INDEX, media::MANIFEST].contains(&child.media_type.as_str()) {
                self.push(layout, &child, None)?;
            } else {
                self.push_blob(layout, &child)?;
            }
        }
        let lists = self.put_manifest(tag.unwrap_or(&top.digest), &top.media_type, &bytes)?;
        let manifest: Value = serde_json::from_slice(&bytes)?;
        match manifest.get("subject") {
            Some(subject) if !lists => {
                let subject = subject["digest"].as_str().context("a subject without a digest")?;
                self.list_below(subject, top)
            }
            _ => Ok(()),
        }
    }

    fn push_blob(&mut self, layout: &Layout, blob: &Descriptor) -> Result<()> {
        let url = self.url(&["blobs", &blob.digest])?;
        if self.send(&Method::HEAD, &url, None)?.status().is_success() {
            return Ok(());
        }
        let url = self.url(&["blobs", "uploads", ""])?;
        let begun = self.send(&Method::POST, &url, Some(("application/octet-stream", &[])))?;
        let begun = accepted(begun, "begin an upload")?;
        let location =
            text_of(begun.headers(), LOCATION.as_str()).context("no place to upload to")?;
        let mut place = url.join(&location)?;
        place.query_pairs_mut().append_pair("digest", &blob.digest);
        let bytes = layout.read(blob)?;
        let put = self.send(&Method::PUT, &place, Some(("application/octet-stream", &bytes)))?;
        accepted(put, "take a blob").map(drop)
    }

    /// Whether the registry says that it lists what refers to others.
    fn put_manifest(&mut self, reference: &str, media_type: &str, bytes: &[u8]) -> Result<bool> {
        let url = self.url(&["manifests", reference])?;
        let put =
            accepted(self.send(&Method::PUT, &url, Some((media_type, bytes)))?, "take a manifest")?;
        let own = digest(bytes);
        if text_of(put.headers(), "docker-content-digest").is_some_and(|said| said != own) {
            bail!("the registry stored {reference} as another manifest than {own}");
        }
        Ok(put.headers().contains_key("oci-subject"))
    }

    /// Adds to the list under the tag that is made of the subject's digest.
    fn list_below(&mut self, subject: &str, added: &Descriptor) -> Result<()> {
        let tag = subject.replace(':', "-");
        let mut list = match self.manifest(&tag)? {
            Some(bytes) => children(&bytes)?,
            None => Vec::new(),
        };
        if list.iter().any(|own| own.digest == added.digest) {
            return Ok(());
        }
        list.push(added.clone());
        let list = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": list });
        self.put_manifest(&tag, media::INDEX, list.to_string().as_bytes()).map(drop)
    }

    fn manifest(&mut self, reference: &str) -> Result<Option<Vec<u8>>> {
        let url = self.url(&["manifests", reference])?;
        let got = self.send(&Method::GET, &url, None)?;
        if got.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(accepted(got, "show a manifest")?.bytes()?.to_vec()))
    }

    fn url(&self, parts: &[&str]) -> Result<Url> {
        Ok(self.base.join(&format!("{}/{}", self.repository, parts.join("/")))?)
    }

    /// Sends it, logs in when the registry asks for that, and tries again when it is busy.
    fn send(
        &mut self,
        method: &Method,
        url: &Url,
        body: Option<(&str, &[u8])>,
    ) -> Result<Response> {
        let (mut pause, mut logged_in) = (Duration::from_secs(1), false);
        let is_busy = |answer: &Response| {
            answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS
        };
        for left in (0..TRIES).rev() {
            let answer = self.request(method, url, body).send();
            let wanted = match &answer {
                Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && !logged_in => {
                    self.log_in(answer.headers())?;
                    logged_in = true;
                    continue;
                }
                Ok(answer) if is_busy(answer) => text_of(answer.headers(), RETRY_AFTER.as_str()),
                Ok(_) => return Ok(answer?),
                Err(_) => None,
            };
            if left == 0 {
                // The URL of an upload may hold what lets others go on with it.
                return answer.map_err(reqwest::Error::without_url).context("the registry");
            }
            let wanted = wanted.and_then(|text| text.parse().ok()).map(Duration::from_secs);
            sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE));
            pause *= 2;
        }
        bail!("the registry asks for a login again and again")
    }

    fn request(&self, method: &Method, url: &Url, body: Option<(&str, &[u8])>) -> RequestBuilder {
        let accept = [media::INDEX, media::MANIFEST].join(", ");
        let mut request = self.client.request(method.clone(), url.clone()).header("accept", accept);
        if let Some((media_type, bytes)) = body {
            request = request.header(CONTENT_TYPE, media_type).body(bytes.to_vec());
        }
        // Blobs may be stored somewhere else, which is no place for a secret.
        match &self.authorization {
            Some(secret) if url.origin() == self.base.origin() => {
                request.header("authorization", secret)
            }
            _ => request,
        }
    }

    fn log_in(&mut self, headers: &HeaderMap) -> Result<()> {
        let text = text_of(headers, WWW_AUTHENTICATE.as_str()).unwrap_or_default();
        let challenge = Challenge::parse(&text)?;
        let login = self.login.as_ref();
        self.authorization = match challenge {
            Challenge::Basic => {
                let Login { user, password } =
                    login.context("the registry asks for a login: --credentials FILE")?;
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Challenge::Bearer { realm, service } => {
                let mut url = Url::parse(&realm).context("where a token is had")?;
                if url.scheme() != "https" && url.origin() != self.base.origin() {
                    bail!(
                        "the registry sends to {} for a token, without TLS",
                        url.origin().ascii_serialization()
                    );
                }
                let scope = format!("repository:{}:pull,push", self.repository);
                url.query_pairs_mut().append_pair("service", &service).append_pair("scope", &scope);
                let mut request = self.client.get(url);
                if let Some(Login { user, password }) = login {
                    request = request.basic_auth(user, Some(password));
                }
                let answer = request.send().map_err(reqwest::Error::without_url)?;
                let answer: Value = accepted(answer, "give a token")?.json()?;
                let token = answer.get("token").or_else(|| answer.get("access_token"));
                let token = token.and_then(Value::as_str).context("an answer without a token")?;
                Some(format!("Bearer {token}"))
            }
        };
        Ok(())
    }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The answer, unless it refuses.
fn accepted(answer: Response, what: &str) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text: String = answer.text().unwrap_or_default().chars().take(500).collect();
    bail!("the registry does not {what}: {status} {text}")
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        thread,
    };

    use super::*;

    #[test]
    fn only_names_of_repositories_are_taken_and_no_plain_text_to_others() {
        assert!(Registry::new("registry.example.org/a/b-c", None, false).is_ok());
        assert!(Registry::new("127.0.0.1:5000/a", None, true).is_ok());
        for (name, plain) in [
            ("registry.example.org/a", true),
            ("registry.example.org", false),
            ("registry.example.org/../a", false),
            ("registry.example.org/A", false),
            ("127.0.0.1.example.org/a", true),
        ] {
            assert!(Registry::new(name, None, plain).is_err(), "{name}");
        }
    }

    /// A registry that wants a token, and is busy at first; returns what was asked.
    fn answer(listener: &TcpListener, requests: usize) -> Vec<String> {
        let port = listener.local_addr().unwrap().port();
        let mut asked = Vec::new();
        for number in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut head = String::new();
            while let Some(Ok(line)) =
                lines.next().filter(|line| !matches!(line, Ok(line) if line.is_empty()))
            {
                head += &format!("{line}\n");
            }
            let secret = STANDARD.encode("user:password");
            let (status, headers, body) = if number == 0 {
                ("503 Busy", "retry-after: 0\r\n".to_owned(), "")
            } else if head.starts_with("GET /token?") && head.contains(&format!("Basic {secret}")) {
                ("200 OK", String::new(), "{\"token\": \"t\"}")
            } else if head.contains("authorization: Bearer t\n") {
                ("200 OK", String::new(), "manifest")
            } else {
                let realm = format!("Bearer realm=\"http://127.0.0.1:{port}/token\",service=\"s\"");
                ("401 Unauthorized", format!("www-authenticate: {realm}\r\n"), "")
            };
            let length = body.len();
            let text = format!(
                "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            stream.write_all(text.as_bytes()).unwrap();
            asked.push(head);
        }
        asked
    }

    #[test]
    fn a_token_is_had_with_the_login_and_a_busy_registry_asked_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || answer(&listener, 4));
        let login = Login { user: "user".to_owned(), password: "password".to_owned() };
        let mut registry =
            Registry::new(&format!("127.0.0.1:{port}/group/a"), Some(login), true).unwrap();
        assert_eq!(registry.tagged("v1").unwrap(), Some(digest(b"manifest")));
        let asked = server.join().unwrap();
        assert!(asked[2].contains("scope=repository%3Agroup%2Fa%3Apull%2Cpush"), "{asked:?}");
        // Only who gives tokens sees the password.
        assert!(!asked[0].contains("authorization") && !asked[3].contains("Basic"), "{asked:?}");
    }
}
