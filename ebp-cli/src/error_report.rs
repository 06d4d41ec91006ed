//! Where errors of the program are reported: the one place that knows for which commands, with which
//! configuration, and which failures are errors.
//!
//! Enters: the command line, failures. Leaves: reports ([`ebp_errors`]), groups for the server. Absent: reports of commands
//! without a configuration, which people run at a terminal.

mod hand_over;

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use ebp_core::{
    clock::{Clock, SystemClock},
    contract::{ReportedErrorGroup, limits},
};
use ebp_device::error_source::ErrorSource;
use ebp_errors::{
    Component, ErrorsConfig, Folder, Release, Report, Reporter, ReporterSettings, Service,
    catch_panics,
};
use toml::{Table, Value};

use crate::{
    exit::{Code, Failure},
    owner,
};
use hand_over::HandOver;

/// The version in reports.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How long the end of the program waits for what it has reported to be sent.
const LONGEST_END: Duration = Duration::from_secs(3);

/// The process's reporter. It is one, as its panics and its log are.
static REPORTER: OnceLock<Started> = OnceLock::new();

/// What reports this process's errors.
struct Started {
    reporter: Reporter,
    /// The folder of ledger and queue.
    folder: PathBuf,
    /// Who tells the server of its groups, unless this folder is the one that the server is told of.
    hand_over: Option<HandOver>,
}

/// Which component runs, and where its errors are reported.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The part of the program.
    pub component: Component,
    /// The section `[errors]`.
    pub config: ErrorsConfig,
    /// The folder of ledger and queue.
    pub folder: PathBuf,
    /// The measuring service's socket, of the device's page and its updater: their folders are their own
    /// users', so that they hand their groups over there.
    pub socket: Option<PathBuf>,
}

impl Reported {
    /// With that section, and a folder `errors` in `data` unless it names another one.
    #[must_use]
    pub fn new(component: Component, config: ErrorsConfig, data: &Path) -> Self {
        let folder = config.folder.clone().unwrap_or_else(|| data.join("errors"));
        Self { component, config, folder, socket: None }
    }

    /// As a configuration file says, of a device, its page or a server; none if the file cannot be used,
    /// which is reported when it is.
    pub fn from_file(component: Component, path: &Path) -> Option<Self> {
        let table: Table = std::fs::read_to_string(path).ok()?.parse().ok()?;
        let beside = path.parent().unwrap_or(Path::new("."));
        let data = ["spool", "data", "state"]
            .iter()
            .find_map(|key| table.get(*key).and_then(Value::as_str))?;
        let mut config: ErrorsConfig = match table.get("errors") {
            Some(section) => section.clone().try_into().ok()?,
            None => ErrorsConfig::default(),
        };
        config.relative_to(beside);
        let hands_over = matches!(component, Component::Page | Component::Updater);
        let socket = table.get("socket").and_then(Value::as_str).filter(|_| hands_over);
        let socket = socket.map(|path| beside.join(path));
        Some(Self { socket, ..Self::new(component, config, &beside.join(data)) })
    }

    /// The folder of ledger and queue.
    #[must_use]
    pub fn folder(&self) -> Folder {
        Folder::new(self.folder.clone())
    }

    /// What all reports say.
    #[must_use]
    pub fn release(&self) -> Release {
        let device = self.config.device.clone();
        Release { version: VERSION, component: self.component, device }
    }

    /// The service, if one is configured, by the file or by the environment.
    ///
    /// # Errors
    /// Returns a failure if the environment's DSN or the authority's file cannot be used.
    pub fn service(&self) -> Result<Option<Service>, Failure> {
        let mut config = self.config.clone();
        let taken = config.take_environment(|name| std::env::var_os(name));
        taken.map_err(|error| Failure::caused_by(Code::Usage, &error))?;
        let Some(dsn) = config.dsn else { return Ok(None) };
        let service = Service::new(dsn, config.ca.as_deref());
        service.map(Some).map_err(|error| {
            Failure::caused_by(Code::Failed, &error)
                .remedy("check `ca` under [errors], or install the package ca-certificates")
        })
    }
}

/// Reports the errors of this process from now on. Returns why they are not sent, if they should be: that
/// is no reason to measure nothing.
pub fn start(reported: Option<Reported>) -> (Option<Reporter>, Option<Failure>) {
    let Some(reported) = reported else { return (None, None) };
    let (service, failure) = match reported.service() {
        Ok(service) => (service, None),
        Err(failure) => (None, Some(failure)),
    };
    let reporter = Reporter::start(ReporterSettings {
        release: reported.release(),
        folder: reported.folder(),
        service,
        clock: Arc::new(SystemClock),
        hear: Box::new(crate::log::tell),
    });
    catch_panics(&reporter);
    let hand_over = reported.socket.clone().map(|socket| HandOver::new(reported.folder(), socket));
    if let Some(hand_over) = &hand_over {
        hand_over.go_on_doing_it();
    }
    let started = Started { reporter: reporter.clone(), folder: reported.folder, hand_over };
    let _ = REPORTER.set(started);
    #[cfg(debug_assertions)]
    panic_as_asked();
    (Some(reporter), failure)
}

/// Reports a failure that ends a command or a cycle, if it is an error: not what the participant has
/// decided, nor a wrong command line.
pub fn failed(failure: &Failure) {
    if let (Some(started), Some(report)) = (REPORTER.get(), describe(failure)) {
        started.reporter.report(report);
    }
}

/// Reports the failure that ends the process, which has been told.
pub fn ended(failure: &Failure) {
    if let (Some(started), Some(report)) = (REPORTER.get(), describe(failure)) {
        started.reporter.report_last(report);
    }
}

/// The report of a failure, if it is an error.
fn describe(failure: &Failure) -> Option<Report> {
    let types = match failure.code {
        Code::Done | Code::Usage | Code::NoConsent => return None,
        _ if !failure.types.is_empty() => failure.types.clone(),
        code => vec![format!("Failure::{code:?}")],
    };
    Some(Report::new(types, failure.place.into()))
}

/// Waits a moment for what this process has reported to be sent. What is not stays for the next one.
pub fn finish() {
    if let Some(Started { reporter, folder, hand_over }) = REPORTER.get() {
        reporter.finish(LONGEST_END);
        if let Some(hand_over) = hand_over {
            hand_over.hand_over();
        }
        // Root may have run what a service runs, which goes on writing there.
        owner::give_to_owner_above(folder);
    }
}

/// Counts a group of another program of this device, which tells of it at the socket, among those that
/// the server is told of.
pub fn take_over(group: &ReportedErrorGroup) {
    let Some(Started { folder, .. }) = REPORTER.get() else { return };
    match Folder::new(folder.clone()).take_over(group, SystemClock.now()) {
        Ok(true) => {}
        Ok(false) => tracing::warn!("a group of errors was told that is of no such program"),
        Err(error) => tracing::warn!(%error, "errors of another program cannot be counted"),
    }
}

/// The groups of errors that a device's programs count in the folder that its configuration names.
pub fn source(config: &Path) -> Option<ErrorSource> {
    let folder = Reported::from_file(Component::Sending, config)?.folder();
    Some(ErrorSource::new(move || {
        folder.ledger().unwrap_or_default().latest(limits::STATUS_ERRORS)
    }))
}

/// Says why errors are not sent.
pub fn explain_unsent(failure: &dyn Display) {
    crate::log::tell(format_args!("errors are counted on this machine alone: {failure}"));
}

/// A panic in a running daemon, for tests: no program that is handed out has it.
#[cfg(debug_assertions)]
fn panic_as_asked() {
    #[allow(clippy::panic, reason = "it is what was asked for")]
    fn panic_for_a_test(text: &str) {
        panic!("{text}");
    }
    let Some(text) = std::env::var_os("EBP_TEST_PANIC") else { return };
    // Its end is looked at by nobody, as that of most threads.
    drop(std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        panic_for_a_test(&text.to_string_lossy());
    }));
}

#[cfg(test)]
mod tests;
