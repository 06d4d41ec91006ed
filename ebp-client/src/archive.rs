//! Fetches archives of exports, which are too long for memory, in as many connections as it takes.

use std::{
    fmt::Write as _,
    io::{self, Read},
    time::Duration,
};

use ebp_core::contract::paths;
use reqwest::{Method, StatusCode, header};
use ring::digest::{Context, SHA256};
use uuid::Uuid;

use crate::{ClientError, Manager};

/// How long a connection may take to fetch an archive before it is fetched on by another one.
const FETCH: Duration = Duration::from_secs(600);

impl Manager {
    /// Fetches the archive of an export, or what follows the first octets of it: those of the archive
    /// with that SHA-256 (hexadecimal digits). `take` is given each part with its place, from the
    /// beginning if another archive is there now.
    ///
    /// # Errors
    /// [`ClientError`]; a problem of status 404 if there is none (any more), one of status 409 as long
    /// as the job has not ended. What breaks off is [`ClientError::Unreachable`], and what `take`
    /// returns is [`ClientError::SetUp`].
    pub fn fetch_archive(
        &self,
        job: Uuid,
        (first, sha256): (u64, &str),
        take: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        let server = || self.client.server().to_owned();
        let mut request = self
            .client
            .request(Method::GET, &paths::JOB_ARCHIVE.replace("{uuid}", &job.to_string()))
            .timeout(FETCH);
        if first > 0 {
            request = request.header(header::RANGE, format!("bytes={first}-"));
            request = request.header(header::IF_RANGE, format!("\"{sha256}\""));
        }
        let mut response = self.client.open(request)?;
        let mut place = if response.status() == StatusCode::PARTIAL_CONTENT { first } else { 0 };
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = response.read(&mut buffer).map_err(|error| ClientError::Unreachable {
                server: server(),
                reason: format!("the answer breaks off: {error}"),
            })?;
            if read == 0 {
                return Ok(());
            }
            take(place, &buffer[..read]).map_err(|error| ClientError::SetUp {
                server: server(),
                reason: error.to_string(),
            })?;
            place += read as u64;
        }
    }
}

/// The SHA-256 of all that is read, as hexadecimal digits.
///
/// # Errors
/// Those of reading.
pub fn sha256_of(from: &mut impl Read) -> io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            let digest = context.finish();
            return Ok(digest.as_ref().iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            }));
        }
        context.update(&buffer[..read]);
    }
}
