//! How far a connection's requests have come.
//!
//! Enters: what is read off the connection, when a request has arrived and when it is answered. Leaves:
//! whether one is at work, and whether one takes too long to arrive. Absent: closing. The HTTP library
//! bounds the pause before a request and its head together; a device's pause is long, its head is not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{io::AsyncRead, sync::Notify, time::sleep};
use tokio_util::io::InspectReader;

/// A connection's progress.
#[derive(Default)]
pub(super) struct Progress {
    requests: AtomicUsize,
    is_busy: AtomicBool,
    /// Whether a part of a head was read.
    has_begun: AtomicBool,
    begun: Notify,
}

impl Progress {
    fn read(&self) {
        if !self.is_busy() && !self.has_begun.swap(true, Relaxed) {
            self.begun.notify_one();
        }
    }

    /// A request's head is there.
    pub(super) fn ask(&self) {
        self.requests.fetch_add(1, Relaxed);
        self.is_busy.store(true, Relaxed);
        self.has_begun.store(false, Relaxed);
    }

    /// Its answer is there.
    pub(super) fn answer(&self) {
        self.is_busy.store(false, Relaxed);
    }

    /// Whether a request waits for its answer.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy.load(Relaxed)
    }

    /// Whether there was any request.
    pub(super) fn has_asked(&self) -> bool {
        self.requests.load(Relaxed) > 0
    }

    /// Waits until a head has been on its way for longer than that, or up to twice as long.
    pub(super) async fn wait_for_late_head(&self, most: Duration) {
        loop {
            self.begun.notified().await;
            let before = self.requests.load(Relaxed);
            sleep(most).await;
            if self.has_begun.load(Relaxed) && self.requests.load(Relaxed) == before {
                return;
            }
        }
    }
}

/// The stream, of which this progress is told what is read.
pub(super) fn watch<S: AsyncRead>(
    stream: S,
    progress: Arc<Progress>,
) -> InspectReader<S, impl FnMut(&[u8]) + Send + 'static> {
    InspectReader::new(stream, move |bytes: &[u8]| {
        if !bytes.is_empty() {
            progress.read();
        }
    })
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };

    use super::*;

    const MOST: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn only_a_head_that_has_begun_is_late() {
        let (mut client, stream) = tokio::io::duplex(64);
        let progress = Arc::<Progress>::default();
        let mut watched = watch(stream, progress.clone());
        let is_late =
            async |within| timeout(within, progress.wait_for_late_head(MOST)).await.is_ok();
        assert!(!is_late(MOST * 4).await, "a pause is not late");
        let mut two = [0; 2];
        client.write_all(b"GE").await.unwrap();
        watched.read_exact(&mut two).await.unwrap();
        progress.ask();
        assert!(progress.is_busy() && progress.has_asked());
        assert!(!is_late(MOST * 2).await, "it has come");
        client.write_all(b"bo").await.unwrap();
        watched.read_exact(&mut two).await.unwrap();
        progress.answer();
        assert!(!is_late(MOST * 2).await, "what was read meanwhile is the request's");
        client.write_all(b"GE").await.unwrap();
        watched.read_exact(&mut two).await.unwrap();
        progress.wait_for_late_head(MOST).await;
    }
}
