//! The socket's threads: one that accepts, and one for each connection.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender, SyncSender},
    },
    thread::{self, Thread},
    time::Duration,
};

use super::message::{Answer, Reason, Request};

/// The maximum number of connections; further ones are closed at once.
const MOST_CONNECTIONS: usize = 16;
/// The longest line of a request.
const LONGEST_LINE: u64 = 4096;
/// A connection is closed if the client sends nothing for this long.
const IDLE: Duration = Duration::from_secs(300);
/// The timeout for the daemon's answer.
const ANSWER: Duration = Duration::from_secs(60);

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the socket {}: {source}", path.display())]
pub struct SocketError {
    /// Its path.
    pub path: PathBuf,
    /// The cause: its folder is missing, another process listens there, or no permission.
    pub source: io::Error,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Asked {
    /// What was asked.
    pub request: Request,
    answer: SyncSender<Answer>,
}

impl Asked {
    /// Answers it. If the client has disconnected meanwhile, the answer is dropped.
    pub fn answer(self, answer: Answer) {
        let _ = self.answer.try_send(answer);
    }
}

/// The socket, as the daemon sees it.
#[derive(Debug)]
pub struct Socket {
    asked: Receiver<Asked>,
    path: PathBuf,
}

impl Socket {
    /// Listens at that path; the thread that calls this is unparked by each request. Users of the
    /// socket's group may connect (mode 0660). A socket file without a listener is replaced.
    ///
    /// # Errors
    /// Returns [`SocketError`] when it cannot be made, or another process listens there.
    pub fn listen(path: &Path) -> Result<Self, SocketError> {
        let fault = |source| SocketError { path: path.to_owned(), source };
        if UnixStream::connect(path).is_ok() {
            return Err(fault(io::ErrorKind::AddrInUse.into()));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(fault)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(fault)?;
        let (sender, asked) = mpsc::channel();
        let daemon = thread::current();
        thread::Builder::new()
            .name("socket".to_owned())
            .spawn(move || accept(&listener, &sender, &daemon))
            .map_err(fault)?;
        Ok(Self { asked, path: path.to_owned() })
    }

    /// The next request, if there is one.
    pub fn next(&self) -> Option<Asked> {
        self.asked.try_recv().ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The system rejects connections from now on.
        let _ = fs::remove_file(&self.path);
    }
}

fn accept(listener: &UnixListener, sender: &Sender<Asked>, daemon: &Thread) {
    let connections = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Too many open files: there may be fewer soon.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (sender, daemon, open) = (sender.clone(), daemon.clone(), Arc::clone(&connections));
        let serve = move || {
            // A client that disconnects ends its connection.
            let _ = serve(&stream, &sender, &daemon);
            open.fetch_sub(1, Ordering::Relaxed);
        };
        if thread::Builder::new().name("socket".to_owned()).spawn(serve).is_err() {
            connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Answers the requests of a connection, one after the other.
fn serve(stream: &UnixStream, sender: &Sender<Asked>, daemon: &Thread) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let is_whole = line.ends_with(b"\n");
        let answer = match serde_json::from_slice(&line) {
            Ok(request) if is_whole => ask(request, sender, daemon)?,
            Ok(_) => return Ok(()),
            Err(error) => {
                let detail = format!("no request that is known: {error}");
                Answer::refuse(Reason::NotUnderstood, detail)
            }
        };
        let mut text = serde_json::to_vec(&answer)?;
        text.push(b'\n');
        let mut stream = stream;
        stream.write_all(&text)?;
        if !is_whole {
            return Ok(());
        }
    }
}

fn ask(request: Request, sender: &Sender<Asked>, daemon: &Thread) -> io::Result<Answer> {
    let (answer, answered) = mpsc::sync_channel(1);
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    sender.send(Asked { request, answer }).map_err(|_| gone())?;
    daemon.unpark();
    answered.recv_timeout(ANSWER).map_err(|_| gone())
}
