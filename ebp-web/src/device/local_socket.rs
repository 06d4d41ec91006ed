//! Asking another program of the device at its local socket: a line of JSON, and one for the answer.

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

#[cfg(test)]
pub mod tests {
    use std::{os::unix::net::UnixListener, path::PathBuf, thread};

    use super::*;

    /// A program that gives one answer, at that path.
    pub fn answering(text: &'static str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("its.sock");
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            BufReader::new(&stream).read_line(&mut asked).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        });
        (folder, path)
    }

    #[test]
    fn an_answer_without_end_is_none() {
        let (_folder, path) = answering("[1, 2");
        assert!(ask::<_, Vec<u8>>(&path, &"x", Duration::from_secs(10)).is_err());
        let (_folder, path) = answering("[1, 2]\n");
        assert_eq!(ask::<_, Vec<u8>>(&path, &"x", Duration::from_secs(10)).unwrap(), [1, 2]);
    }
}
