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

/// Connections at the same time; further ones are closed at once.
const MOST_CONNECTIONS: usize = 16;
/// A line longer than this is no request.
const LONGEST_LINE: u64 = 4096;
/// A client that says nothing for so long is left.
const IDLE: Duration = Duration::from_secs(300);
/// The daemon answers within this time, or not at all.
const ANSWER: Duration = Duration::from_secs(60);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("the socket {}: {source}", path.display())]
pub struct SocketError {
    /// Where it should be.
    pub path: PathBuf,
    /// Why it is not: its folder is missing, another process listens there, no permission.
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
    /// Answers it. Whoever has hung up meanwhile does not hear it.
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
    /// socket's group may connect (mode 0660). A socket that nobody listens to any more is replaced.
    ///
    /// # Errors
    /// [`SocketError`] when it cannot be made, or another process listens there.
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
        // Who connects from now on is told by the system that nobody listens.
        let _ = fs::remove_file(&self.path);
    }
}

fn accept(listener: &UnixListener, sender: &Sender<Asked>, daemon: &Thread) {
    let connections = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // Too many open files: there may be room again soon.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (sender, daemon, open) = (sender.clone(), daemon.clone(), Arc::clone(&connections));
        let serve = move || {
            // A client that hangs up ends its connection.
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
