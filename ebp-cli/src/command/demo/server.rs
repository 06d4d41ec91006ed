//! The demo's server: the Data API on a separate thread.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use ebp_server::Settings;

use crate::{
    command::serve::pages,
    exit::{CommandResult, Context, Failure, server},
};

/// Ends when `stop` is raised.
pub async fn raised(stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server that runs.
pub struct Server {
    thread: thread::JoinHandle<CommandResult>,
}

impl Server {
    /// Serves on that socket until `stop` is raised, and the pages of researchers and administrators on
    /// another one, if there is one.
    ///
    /// # Errors
    /// Returns an error if the operating system cannot start a thread.
    pub fn start(
        settings: Settings,
        listener: TcpListener,
        browsers: Option<TcpListener>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let serve = move || {
            let runtime = crate::runtime::on_this_thread()?;
            runtime.block_on(async {
                let listener =
                    tokio::net::TcpListener::from_std(listener).or_failed("the listener")?;
                let pages = browsers.map(tokio::net::TcpListener::from_std).transpose();
                let pages = pages.or_failed("the pages' listener")?.map(pages::serve_on);
                let serving = ebp_server::serve_with_pages(settings, listener, pages, raised(stop));
                serving.await.map_err(server::serve)
            })
        };
        let thread =
            thread::Builder::new().name("server".into()).spawn(serve).or_failed("a thread")?;
        Ok(Self { thread })
    }

    /// Waits for its end; the stop flag is set elsewhere.
    ///
    /// # Errors
    /// Returns an error if it has failed.
    pub fn end(self) -> CommandResult {
        self.thread.join().unwrap_or_else(|_| Err(Failure::failed("the server crashed")))
    }
}
