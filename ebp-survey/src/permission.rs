//! Which group may do what: one table, by which the Data API's routes and pages decide.
//!
//! Enters: an operation. Leaves: the groups that may. Absent: participants, whose certificates have
//! scopes; how a caller proves its group.

use ebp_core::scope::Group;

const RESEARCHERS: &[Group] = &[Group::Researchers];
const ADMINISTRATORS: &[Group] = &[Group::Administrators];
const BOTH: &[Group] = &Group::ALL;

macro_rules! operations {
    ($($(#[$about:meta])* $name:ident: $groups:ident,)*) => {
        /// What researchers or administrators ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {$(
            $(#[$about])*
            $name,
        )*}

        impl Operation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Who may.
            #[must_use]
            pub const fn groups(self) -> &'static [Group] {
                match self {$(Self::$name => $groups,)*}
            }
        }
    };
}

operations! {
    /// Search registrations and consents.
    SearchHouseholds: RESEARCHERS,
    /// List the health of devices and meters.
    ListHealth: ADMINISTRATORS,
    /// Register a household.
    RegisterHousehold: RESEARCHERS,
    /// Check a registration.
    CheckRegistration: RESEARCHERS,
    /// Show a registration with all that belongs to it.
    ShowHousehold: RESEARCHERS,
    /// Change contact, address, location or answers.
    ChangeHousehold: RESEARCHERS,
    /// List the history of a registration.
    ListChanges: RESEARCHERS,
    /// Remove a household that was registered by mistake.
    RemoveHousehold: RESEARCHERS,
    /// Record a withdrawal of consent that came elsewhere.
    RecordWithdrawal: RESEARCHERS,
    /// Add a meter.
    AddMeter: RESEARCHERS,
    /// Change a meter.
    ChangeMeter: RESEARCHERS,
    /// Remove a meter.
    RemoveMeter: RESEARCHERS,
    /// Add a photovoltaic system.
    AddPvSystem: RESEARCHERS,
    /// Change a photovoltaic system.
    ChangePvSystem: RESEARCHERS,
    /// Remove a photovoltaic system.
    RemovePvSystem: RESEARCHERS,
    /// List a meter's measurements.
    ListMeasurements: RESEARCHERS,
    /// Read a household's energy.
    ReadSeries: RESEARCHERS,
    /// Read a household's figures.
    ReadSummary: RESEARCHERS,
    /// List all devices.
    ListDevices: ADMINISTRATORS,
    /// Add a device.
    AddDevice: BOTH,
    /// Show a device.
    ShowDevice: ADMINISTRATORS,
    /// Change which meters a device reads.
    ChangeDevice: ADMINISTRATORS,
    /// Remove a device that was added by mistake.
    RemoveDevice: ADMINISTRATORS,
    /// List devices with their states.
    ListFleet: ADMINISTRATORS,
    /// Show in which slots a device measured.
    ShowCoverage: ADMINISTRATORS,
    /// Show a device's incidents and statuses.
    ShowDeviceHistory: ADMINISTRATORS,
    /// Show a device's silence.
    ShowSilence: ADMINISTRATORS,
    /// Silence a device's alerts.
    SilenceDevice: ADMINISTRATORS,
    /// End a device's silence.
    EndSilence: ADMINISTRATORS,
    /// Make a one-time token for a device.
    CreateEnrolment: BOTH,
    /// Make another sign-in code for a device's page.
    CreateSignInCode: BOTH,
    /// List households' messages.
    ListMessages: RESEARCHERS,
    /// Answer a message.
    AnswerMessage: RESEARCHERS,
    /// Close a message without an answer.
    CloseMessage: RESEARCHERS,
    /// Show a device's tunnel and its sessions.
    ShowTunnel: ADMINISTRATORS,
    /// End a session with a device.
    EndTunnelSession: ADMINISTRATORS,
    /// List jobs of all groups, and cancel them.
    ListAllJobs: ADMINISTRATORS,
    /// List jobs.
    ListJobs: BOTH,
    /// Ask for a job.
    AddJob: BOTH,
    /// Show a job.
    ShowJob: BOTH,
    /// Cancel a job.
    CancelJob: BOTH,
    /// Try a job again.
    RetryJob: BOTH,
    /// Read a job's result.
    ReadJobResult: BOTH,
    /// Fetch the archive of an export.
    FetchArchive: RESEARCHERS,
    /// List alerts.
    ListAlerts: ADMINISTRATORS,
    /// Show the rules of alerts.
    ShowAlertRules: ADMINISTRATORS,
    /// Change the rules of alerts.
    ChangeAlertRules: ADMINISTRATORS,
    /// Test how alerts are sent.
    TestAlerts: ADMINISTRATORS,
    /// List roll-outs, and show one.
    ShowRollouts: ADMINISTRATORS,
    /// Begin, halt, resume, advance or end a roll-out.
    SteerRollouts: ADMINISTRATORS,
    /// Show an alert.
    ShowAlert: ADMINISTRATORS,
    /// List groups of errors.
    ListErrorGroups: ADMINISTRATORS,
    /// List a device's certificates.
    ListCertificates: ADMINISTRATORS,
    /// Revoke all certificates of a device.
    RevokeCertificates: ADMINISTRATORS,
    /// Revoke a certificate of a device.
    RevokeCertificate: ADMINISTRATORS,
    /// Find the region that a location lies in.
    LocateRegion: RESEARCHERS,
    /// Read the server's metrics.
    ReadMetrics: ADMINISTRATORS,
    /// List sessions in pages.
    ListSessions: ADMINISTRATORS,
    /// End a session in pages.
    EndSession: ADMINISTRATORS,
}

/// An operation that is for another group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not permitted for the {0}")]
pub struct NotPermitted(pub Group);

impl Operation {
    /// Whether a group may.
    ///
    /// # Errors
    /// [`NotPermitted`] if it may not.
    pub fn permit(self, group: Group) -> Result<(), NotPermitted> {
        if self.groups().contains(&group) { Ok(()) } else { Err(NotPermitted(group)) }
    }
}
