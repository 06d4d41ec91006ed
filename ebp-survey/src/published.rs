//! Which versions of the program are published, for whoever asks devices to run one.

/// What is known of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseState {
    /// It is published.
    Published,
    /// It was published, and is recalled: no device goes over to it.
    Recalled,
    /// Nobody has published it: devices would wait for it for ever.
    Unknown,
    /// The releases cannot be read.
    Unreadable,
}

impl ReleaseState {
    /// What is wrong with devices being asked to run it, in a sentence.
    #[must_use]
    pub const fn fault(self) -> Option<&'static str> {
        match self {
            Self::Published => None,
            Self::Recalled => Some("that version is recalled: no device goes over to it"),
            Self::Unknown => Some("that version is not published: add, sign and publish it first"),
            Self::Unreadable => {
                Some("the folder of releases that the server's configuration names cannot be read")
            }
        }
    }
}

/// The releases of the program.
pub trait PublishedReleases: Send + Sync {
    /// What is known of a version. It reads files, so that it may block.
    fn state(&self, version: &str) -> ReleaseState;
}
