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
    file::{read_text, wrong_toml},
    owner,
};
use hand_over::HandOver;

/// The version in reports.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A server's data folder, as its environment names it.
const SERVER_DATA: &str = "EBP_SERVER_DATA";

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

    /// As a configuration file says, of a device, its page or a server.
    ///
    /// # Errors
    /// Returns a failure if the file cannot be read, its section `[errors]` cannot be used, or it is of
    /// nothing that reports errors.
    pub fn from_file(component: Component, path: &Path) -> Result<Self, Failure> {
        Self::of_file(component, path, |section| section.clone().try_into())
    }

    /// The same, to look at what was counted: that is in the same place, whatever else is wrong with the
    /// section.
    ///
    /// # Errors
    /// Returns a failure if the file cannot be read, or is of nothing that reports errors.
    pub fn counted_by_file(component: Component, path: &Path) -> Result<Self, Failure> {
        let folder_alone = |section: &Value| {
            let folder = section.get("folder").and_then(Value::as_str).map(PathBuf::from);
            ErrorsConfig { folder, ..ErrorsConfig::default() }
        };
        Self::of_file(component, path, |section| {
            Ok(section.clone().try_into().unwrap_or_else(|_| folder_alone(section)))
        })
    }

    fn of_file(
        component: Component,
        path: &Path,
        section: impl FnOnce(&Value) -> Result<ErrorsConfig, toml::de::Error>,
    ) -> Result<Self, Failure> {
        let text = read_text(path)?;
        let table: Table = text.parse().map_err(|error| wrong_toml(path, &text, &error))?;
        let beside = path.parent().unwrap_or(Path::new("."));
        let data = data_of(&table, beside).ok_or_else(|| {
            Failure::usage(format!(
                "{} names neither `spool`, `data` nor `state`: it is no configuration of a device, a \
                 server or a device's page",
                path.display()
            ))
            .remedy(
                "give the program's own configuration, or the folder of errors itself with --folder",
            )
        })?;
        let mut config = match table.get("errors").map(section) {
            Some(config) => config.map_err(|error| {
                let why = error.message().replace('\n', "; ");
                Failure::usage(format!("{}: [errors]: {why}", path.display()))
            })?,
            None => ErrorsConfig::default(),
        };
        config.relative_to(beside);
        let hands_over = matches!(component, Component::Page | Component::Updater);
        let socket = table.get("socket").and_then(Value::as_str).filter(|_| hands_over);
        let socket = socket.map(|path| beside.join(path));
        Ok(Self { socket, ..Self::new(component, config, &data) })
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

/// Where a configuration keeps what its program has: a device's spool, the state of its page, a server's
/// data, which the environment may name instead.
fn data_of(table: &Table, beside: &Path) -> Option<PathBuf> {
    let named = |key: &str| table.get(key).and_then(Value::as_str).map(|path| beside.join(path));
    let environment = || std::env::var_os(SERVER_DATA).filter(|value| !value.is_empty());
    let of_device = named("spool").or_else(|| named("state"));
    of_device.or_else(|| environment().map(PathBuf::from)).or_else(|| named("data"))
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
    let folder = Reported::counted_by_file(Component::Sending, config).ok()?.folder();
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
