//! Asking a program of this device at its local socket: a line of JSON, and one for the answer.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

/// The longest answer: a hundred measurements and a few meters, or a thousand sessions.
const LONGEST: u64 = 1 << 20;

/// Asks once, on a connection of its own.
///
/// # Errors
/// Returns an error if nobody listens there, this user may not ask, or there is no whole answer in time.
pub fn ask<Q: Serialize, A: DeserializeOwned>(
    path: &Path,
    request: &Q,
    wait: Duration,
) -> io::Result<A> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut text = Vec::new();
    BufReader::new(stream).take(LONGEST).read_until(b'\n', &mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
