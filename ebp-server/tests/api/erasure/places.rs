//! Where a server's data may be: files of the database and of the server's folder, and the log.

use std::{
    collections::BTreeSet,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::plain::{Bytes, Sought};

/// The server's log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    /// That of every server of this process.
    pub fn capture() -> Self {
        let log = Self::default();
        let filter = "ebp_server=trace,ebp_store=trace,axum=trace,tokio_postgres=debug";
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_ansi(false)
            .with_env_filter(EnvFilter::new(filter))
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    }
}

/// All places that a server's data may be in.
pub struct Places {
    pub folders: Vec<PathBuf>,
    pub log: Log,
}

impl Places {
    /// The files in which one of these stands.
    pub fn holding(&self, needles: &[Bytes]) -> BTreeSet<(PathBuf, usize)> {
        let mut found = BTreeSet::new();
        let mut folders = self.folders.clone();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                // A file may go while it is looked for.
                let content = fs::read(&path).unwrap_or_default();
                found.extend(standing(&content, needles).map(|needle| (path.clone(), needle)));
            }
        }
        let log = self.log.0.lock().unwrap();
        found.extend(standing(&log, needles).map(|needle| ("the server's log".into(), needle)));
        found
    }

    #[track_caller]
    pub fn assert_absent(&self, sought: &[Sought]) {
        let needles: Vec<Bytes> = sought.iter().map(|(_, _, value)| value.clone()).collect();
        let name = |(path, place): &(PathBuf, usize)| {
            let (table, column, value) = &sought[*place];
            format!("{table}.{column} in {}: {}", path.display(), value.escape_ascii())
        };
        let left: Vec<_> = self.holding(&needles).iter().map(name).collect();
        assert!(left.is_empty(), "{left:#?}");
    }
}

/// Which of these stand there.
fn standing<'a>(content: &'a [u8], needles: &'a [Bytes]) -> impl Iterator<Item = usize> + use<'a> {
    let is_there = |needle: &Bytes| memchr::memmem::find(content, needle).is_some();
    (0..needles.len()).filter(move |place| is_there(&needles[*place]))
}
