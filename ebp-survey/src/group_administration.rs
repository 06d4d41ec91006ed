//! Operations of administrators, as pages call them.

use ebp_core::contract::{
    AlertMessage, AlertRuleSet, AlertRules, ChangedRules, Coverage, DeviceHistory, FleetErrorGroup,
    Job, JobKind, NewRollout, NewSilence, Rollout, RolloutAction, RolloutReport, Silence, Tunnel,
    TunnelSession,
};
use ebp_store::{
    AlertCounts, DeviceCounts, Fleet, FleetQuery, JobCounts, ListCursor, ListPage, ListQuery,
    PoolStatus, RegisterEntry, Serial, StoreError, TimeOrderedList,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use uuid::Uuid;

use crate::{AlertRuleError, GroupCaller, Operation, ReleaseState, ServerState, SurveyError};

/// A device counts as silent in the figures when its last report is older.
const ACTIVE: SignedDuration = SignedDuration::from_mins(150);

/// Figures of the whole survey.
#[derive(Debug, Clone, Default)]
pub struct SurveyFigures {
    /// Devices by state.
    pub devices: DeviceCounts,
    /// Jobs by state.
    pub jobs: JobCounts,
    /// Alerts.
    pub alerts: AlertCounts,
    /// Connections to the database, where there is a pool of them.
    pub pool: Option<PoolStatus>,
}

/// A page of a list, the latest first.
#[derive(Debug, Clone)]
pub struct LatestPage<T> {
    /// The items.
    pub items: Vec<T>,
    /// The last item of the page with the next older ones.
    pub older: Option<ListCursor>,
}

/// Whether an item is on a page up to that one. The first page may be short.
fn is_within(until: Option<ListCursor>, at: Timestamp, uuid: Uuid) -> bool {
    until.is_none_or(|until| (at.as_microsecond(), uuid) <= (until.registered_at, until.uuid))
}

impl GroupCaller {
    /// A page of devices with their states.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn fleet(&self, query: FleetQuery) -> Result<Fleet, SurveyError> {
        Ok(self.may(Operation::ListFleet)?.fleet(query).await?)
    }

    /// In which slots a device's meters were measured.
    ///
    /// # Errors
    /// Those of [`Survey::coverage`](crate::Survey::coverage).
    pub async fn coverage(
        &self,
        device: Uuid,
        from: Date,
        days: usize,
    ) -> Result<Coverage, SurveyError> {
        Ok(self.may(Operation::ShowCoverage)?.coverage(device, from, days).await?)
    }

    /// A device's incidents and statuses.
    ///
    /// # Errors
    /// Those of [`Survey::device_history`](crate::Survey::device_history).
    pub async fn device_history(&self, device: Uuid) -> Result<DeviceHistory, SurveyError> {
        Ok(self.may(Operation::ShowDeviceHistory)?.device_history(device).await?)
    }

    /// Silences a device.
    ///
    /// # Errors
    /// Those of [`Survey::silence_device`](crate::Survey::silence_device).
    pub async fn silence_device(
        &self,
        device: Uuid,
        silence: NewSilence,
    ) -> Result<Silence, SurveyError> {
        let survey = self.may(Operation::SilenceDevice)?;
        Ok(survey.silence_device(device, silence, self.revision(None)).await?)
    }

    /// Ends a device's silence.
    ///
    /// # Errors
    /// Those of [`Survey::end_silence`](crate::Survey::end_silence).
    pub async fn end_silence(&self, device: Uuid) -> Result<(), SurveyError> {
        let survey = self.may(Operation::EndSilence)?;
        Ok(survey.end_silence(device, self.revision(None)).await?)
    }

    /// A device's certificates, oldest first.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn certificates(
        &self,
        device: Uuid,
        query: ListQuery,
    ) -> Result<ListPage<RegisterEntry>, SurveyError> {
        self.may(Operation::ListCertificates)?.device_certificates_page(device, query).await
    }

    /// Revokes a certificate of a device.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn revoke_certificate(
        &self,
        device: Uuid,
        serial: Serial,
    ) -> Result<RegisterEntry, SurveyError> {
        let survey = self.may(Operation::RevokeCertificate)?;
        survey.revoke_device_certificate(device, serial, self.revision(None)).await
    }

    /// Revokes all certificates of a device, and voids its tokens. Returns how many.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound).
    pub async fn revoke_certificates(&self, device: Uuid) -> Result<u64, SurveyError> {
        let survey = self.may(Operation::RevokeCertificates)?;
        survey.revoke_device(device, self.revision(None)).await
    }

    /// A device's tunnel, and its last sessions.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tunnel(
        &self,
        device: Uuid,
        sessions: usize,
    ) -> Result<(Option<Tunnel>, Vec<TunnelSession>), SurveyError> {
        let survey = self.may(Operation::ShowTunnel)?;
        let (store, now) = (survey.store(), survey.clock().now());
        let tunnel = store.device_tunnel(device, now).await?;
        Ok((tunnel, store.device_tunnel_sessions(device, sessions).await?))
    }

    /// Has a session with a device ended, by the server that carries it: within a second, while it reaches
    /// the database. One that has ended stays as it is.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound) if the device has no such session.
    pub async fn end_tunnel_session(&self, device: Uuid, session: Uuid) -> Result<(), SurveyError> {
        let store = self.may(Operation::EndTunnelSession)?.store();
        if store.tunnel_session(session).await?.device != Some(device) {
            return Err(StoreError::NotFound.into());
        }
        Ok(store.ask_session_end(session, self.name()).await?)
    }

    /// The rules of alerts that hold.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn alert_rules(&self, server: &dyn ServerState) -> Result<AlertRules, SurveyError> {
        let survey = self.may(Operation::ShowAlertRules)?;
        Ok(survey.alert_rules(&server.configured_rules()).await?)
    }

    /// How the rules were changed, the latest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn rule_history(&self, limit: usize) -> Result<Vec<ChangedRules>, SurveyError> {
        Ok(self.may(Operation::ShowAlertRules)?.store().alert_rules(limit).await?)
    }

    /// Changes the rules of alerts, if they are still of that version.
    ///
    /// # Errors
    /// Those of [`Survey::change_alert_rules`](crate::Survey::change_alert_rules), and
    /// [`SurveyError::NotPermitted`].
    pub async fn change_alert_rules(
        &self,
        rules: AlertRuleSet,
        expected: u64,
    ) -> Result<Result<u64, AlertRuleError>, SurveyError> {
        let survey = self.may(Operation::ChangeAlertRules)?;
        Ok(survey.change_alert_rules(rules, expected).await)
    }

    /// The groups of errors that devices report, those that occurred last first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn error_groups(&self, limit: usize) -> Result<Vec<FleetErrorGroup>, SurveyError> {
        Ok(self.may(Operation::ListErrorGroups)?.store().error_groups(limit).await?)
    }

    /// Tests how messages are sent.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn test_alerts(&self, server: &dyn ServerState) -> Result<AlertMessage, SurveyError> {
        let survey = self.may(Operation::TestAlerts)?;
        let message = survey.test_alerts(server.configured_rules().channels).await?;
        server.wake_alerts();
        Ok(message)
    }

    /// Messages about devices: the latest, or those up to that one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn latest_alerts(
        &self,
        until: Option<ListCursor>,
        limit: usize,
    ) -> Result<LatestPage<AlertMessage>, SurveyError> {
        let store = self.may(Operation::ListAlerts)?.store();
        let list = TimeOrderedList::AlertMessages;
        let after = store.place_before(list, until, limit).await?;
        let mut items = store.alert_messages(ListQuery { after, limit }).await?.items;
        items.retain(|message| is_within(until, message.created_at, message.uuid));
        items.reverse();
        Ok(LatestPage { items, older: after })
    }

    /// What is wrong now by the rules, and what waits to be sent.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn alert_counts(&self) -> Result<AlertCounts, SurveyError> {
        Ok(self.may(Operation::ListAlerts)?.store().alert_counts().await?)
    }

    /// Jobs of all groups: the latest, or those up to that one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn latest_jobs(
        &self,
        until: Option<ListCursor>,
        limit: usize,
    ) -> Result<LatestPage<Job>, SurveyError> {
        let store = self.may(Operation::ListAllJobs)?.store();
        let after = store.place_before(TimeOrderedList::Jobs, until, limit).await?;
        let mut items = store.jobs(None, ListQuery { after, limit }).await?.items;
        items.retain(|job| is_within(until, job.created_at, job.uuid));
        items.reverse();
        Ok(LatestPage { items, older: after })
    }

    /// Ends a job of any group, or asks its worker to stop.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound), [`JobState`](ebp_store::StoreError::JobState).
    pub async fn cancel_any_job(&self, job: Uuid) -> Result<Job, SurveyError> {
        Ok(self.may(Operation::ListAllJobs)?.store().cancel_job(job).await?)
    }

    /// Begins a risk report anew; imports are researchers' alone.
    ///
    /// # Errors
    /// [`NotFound`](ebp_store::StoreError::NotFound), [`JobState`](ebp_store::StoreError::JobState).
    pub async fn retry_report(
        &self,
        job: Uuid,
        server: &dyn ServerState,
    ) -> Result<Job, SurveyError> {
        let store = self.may(Operation::ListAllJobs)?.store();
        if store.job(job).await?.kind != JobKind::RiskReport.name() {
            return Err(crate::NotPermitted(self.group()).into());
        }
        let job = store.retry_job(job).await?;
        server.wake_jobs();
        Ok(job)
    }

    /// The roll-out that began last with its devices, if there ever was one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn latest_rollout(&self) -> Result<Option<RolloutReport>, SurveyError> {
        Ok(self.may(Operation::ShowRollouts)?.latest_rollout().await?)
    }

    /// Begins a roll-out.
    ///
    /// # Errors
    /// Those of [`Survey::begin_rollout`](crate::Survey::begin_rollout).
    pub async fn begin_rollout(&self, new: NewRollout) -> Result<Rollout, SurveyError> {
        Ok(self.may(Operation::SteerRollouts)?.begin_rollout(new, self.name()).await?)
    }

    /// What is known of a version of the program.
    ///
    /// # Errors
    /// Returns an error if the group may not steer roll-outs.
    pub async fn release_state(&self, version: &str) -> Result<ReleaseState, SurveyError> {
        Ok(self.may(Operation::SteerRollouts)?.release_state(version).await)
    }

    /// Does that to a roll-out, if it is still of that revision.
    ///
    /// # Errors
    /// Those of [`Survey::steer_rollout`](crate::Survey::steer_rollout).
    pub async fn steer_rollout(
        &self,
        rollout: Uuid,
        action: RolloutAction,
        expected: u64,
    ) -> Result<RolloutReport, SurveyError> {
        let survey = self.may(Operation::SteerRollouts)?;
        Ok(survey.steer_rollout(rollout, action, Some(&[expected]), self.name()).await?)
    }

    /// Figures of the whole survey.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn figures(&self) -> Result<SurveyFigures, SurveyError> {
        let survey = self.may(Operation::ReadMetrics)?;
        let (store, since) = (survey.store(), survey.clock().now() - ACTIVE);
        Ok(SurveyFigures {
            devices: store.device_counts(since).await?,
            jobs: store.job_counts().await?,
            alerts: store.alert_counts().await?,
            pool: store.pool(),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ping(&self) -> Result<(), SurveyError> {
        Ok(self.may(Operation::ReadMetrics)?.store().ping().await?)
    }
}
