//! Asking another program of the device at its local socket: a line of JSON, and one for the answer.

pub use ebp_device::socket::ask;

#[cfg(test)]
pub mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        os::unix::net::UnixListener,
        path::PathBuf,
        thread,
        time::Duration,
    };

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
