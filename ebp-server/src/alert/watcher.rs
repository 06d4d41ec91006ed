//! The loop of the server that watches: it looks at all devices, sends what is due, and calls the
//! watchdog.

use std::{sync::Arc, time::Duration};

use ebp_core::contract::{AlertChannel, AlertMessageKind, AlertRules};
use ebp_store::{Attempted, DueDelivery, StoreError, WatchLease};
use ebp_survey::{AlertPolicy, Survey, SurveyError};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use super::{
    AlertError, AlertSettings, heartbeat::Heartbeat, mail::Mail, text::LISTED, webhook::Webhook,
};
use crate::telemetry::Telemetry;

/// Changes of a message to a webhook, at most: about four megabytes.
const ITEMS: usize = 20_000;

/// Attempts to send a message that may fail before the watchdog is not called any more.
const FAILURES: u32 = 5;

/// How often what ended long ago is removed.
const EXPIRE: Duration = Duration::from_secs(3600);

/// How long the loop has to end when the server does.
const DRAIN: Duration = Duration::from_secs(5);

/// What the API needs of the loop: its rules, and what wakes it.
#[derive(Debug, Default)]
pub struct AlertWatch {
    rules: AlertRules,
    wake: Notify,
}

impl AlertWatch {
    /// By these rules.
    #[must_use]
    pub fn new(settings: Option<&AlertSettings>) -> Self {
        let rules = settings.map(AlertSettings::rules).unwrap_or_default();
        Self { rules, wake: Notify::new() }
    }

    /// The rules of this server.
    pub const fn rules(&self) -> &AlertRules {
        &self.rules
    }

    /// Makes the loop look at once.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

/// The loop.
pub struct Watcher {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Starts the loop; reads the secrets.
    ///
    /// # Errors
    /// [`AlertError`] if a setting or a file cannot be used.
    pub fn start(
        survey: Arc<Survey>,
        telemetry: Arc<Telemetry>,
        settings: AlertSettings,
        shared: Arc<AlertWatch>,
    ) -> Result<Self, AlertError> {
        let reach = settings.reach();
        let open_webhook = |webhook| Webhook::open(webhook, &reach);
        let webhook = settings.webhook.as_ref().map(open_webhook).transpose()?;
        let open_mail = |mail| Mail::open(mail, reach.ca.as_deref());
        let mail = settings.mail.as_ref().map(open_mail).transpose()?;
        let open_heartbeat = |url| Heartbeat::open(url, &reach);
        let heartbeat = settings.heartbeat.as_ref().map(open_heartbeat).transpose()?;
        let (stop, stopping) = watch::channel(false);
        let channels = settings.channels();
        let mut settings = settings;
        settings.policy.channels = channels;
        let round = Round {
            survey,
            telemetry,
            policy: settings.policy.clone(),
            settings,
            shared,
            webhook,
            mail,
            heartbeat,
            worker: Uuid::new_v4(),
            stopping,
            called: None,
            expired: None,
            logged: Logged::default(),
        };
        Ok(Self { stop, task: tokio::spawn(round.run()) })
    }

    /// Ends the loop; another server watches at once.
    pub async fn stop(self) {
        // It fails only if the loop has ended.
        let _ = self.stop.send(true);
        if timeout(DRAIN, self.task).await.is_err() {
            tracing::warn!("devices are watched again when this server's lease ends");
        }
    }
}

/// What was logged, so that it is not with each look.
#[derive(Default)]
struct Logged {
    look: bool,
    heartbeat: bool,
}

/// The loop's parts.
struct Round {
    survey: Arc<Survey>,
    telemetry: Arc<Telemetry>,
    settings: AlertSettings,
    /// By the rules that hold.
    policy: AlertPolicy,
    shared: Arc<AlertWatch>,
    webhook: Option<Webhook>,
    mail: Option<Mail>,
    heartbeat: Option<Heartbeat>,
    worker: Uuid,
    stopping: watch::Receiver<bool>,
    called: Option<Instant>,
    expired: Option<Instant>,
    logged: Logged,
}

impl Round {
    async fn run(mut self) {
        let mut held = None;
        while !*self.stopping.borrow() {
            match self.once().await {
                Ok(lease) => {
                    held = lease;
                    self.logged.look = false;
                }
                Err(error) if !std::mem::replace(&mut self.logged.look, true) => {
                    tracing::warn!(%error, "devices cannot be watched; tried again");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = self.shared.wake.notified() => {}
                () = sleep(self.settings.look) => {}
                _ = self.stopping.changed() => {}
            }
        }
        if let Some(lease) = held
            && let Err(error) = self.survey.store().release_watch(lease).await
        {
            tracing::warn!(%error, "the lease of watching is not given back");
        }
    }

    /// Looks once, if this server watches, and does what follows of it.
    async fn once(&mut self) -> Result<Option<WatchLease>, SurveyError> {
        let Some(lease) = self.hold().await? else { return Ok(None) };
        // Administrators may have changed the rules.
        self.policy = self.survey.alert_policy(&self.settings.policy).await?;
        if !self.survey.look_for_alerts(lease, &self.policy).await? {
            return Ok(None);
        }
        self.telemetry.alerts.looked();
        self.deliver(lease).await?;
        self.expire().await?;
        self.call().await?;
        Ok(Some(lease))
    }

    async fn hold(&self) -> Result<Option<WatchLease>, StoreError> {
        self.survey.store().watch_alerts(self.worker, self.settings.lease()).await
    }

    /// Sends what is due, as long as that takes no longer than a look may wait.
    async fn deliver(&mut self, lease: WatchLease) -> Result<(), SurveyError> {
        let begun = Instant::now();
        while begun.elapsed() < self.settings.look.max(Duration::from_secs(1)) {
            let now = self.survey.clock().now();
            let quiet = self.policy.messages.quiet.as_ref();
            let is_quiet = quiet.is_some_and(|quiet| quiet.is_quiet(now));
            let mut due = self.survey.store().due_deliveries(now, ITEMS).await?;
            due.retain(|due| !is_quiet || due.kind == AlertMessageKind::Test);
            if due.is_empty() {
                break;
            }
            for due in due {
                if *self.stopping.borrow() || self.hold().await? != Some(lease) {
                    return Ok(());
                }
                self.attempt(lease, due).await?;
            }
        }
        Ok(())
    }

    /// Attempts a delivery and records how that ended.
    async fn attempt(&mut self, lease: WatchLease, due: DueDelivery) -> Result<(), SurveyError> {
        let (message, channel) = (due.message, due.channel);
        let mut stopping = self.stopping.clone();
        let attempted = tokio::select! {
            attempted = self.send(due) => attempted,
            // It is attempted again, with the same key.
            _ = stopping.changed() => return Ok(()),
        };
        let outcome = match &attempted {
            Attempted::Accepted => "accepted",
            Attempted::Failed { .. } => "failed",
            Attempted::Refused { .. } => "refused",
            Attempted::Empty => "dropped",
        };
        if let Attempted::Failed { error, .. } | Attempted::Refused { error } = &attempted {
            let channel = channel.name();
            tracing::warn!(delivery = %message, channel, error, "a message about devices is not sent");
        }
        let now = self.survey.clock().now();
        let store = self.survey.store();
        if store.record_delivery(lease, (message, channel), attempted, now).await? {
            self.telemetry.alerts.attempted(channel.name(), outcome);
        }
        Ok(())
    }

    async fn send(&self, mut due: DueDelivery) -> Attempted {
        if due.kind != AlertMessageKind::Test && due.items.is_empty() {
            return Attempted::Empty;
        }
        let now = self.survey.clock().now();
        let missing = |what| Attempted::Failed {
            error: format!("this server has no {what} in its configuration"),
            pause: None,
        };
        match due.channel {
            AlertChannel::Webhook => match &self.webhook {
                Some(webhook) => webhook.send(&due, now).await,
                None => missing("webhook"),
            },
            AlertChannel::Mail => match &self.mail {
                Some(mail) => {
                    due.items.truncate(LISTED);
                    mail.send(&due, now).await
                }
                None => missing("mail server"),
            },
        }
    }

    async fn expire(&mut self) -> Result<(), SurveyError> {
        if self.expired.is_some_and(|expired| expired.elapsed() < EXPIRE) {
            return Ok(());
        }
        self.expired = Some(Instant::now());
        self.survey.store().expire_alerts(self.survey.clock().now()).await?;
        Ok(())
    }

    /// Calls the watchdog, unless messages fail to be sent: then somebody has to learn of that.
    async fn call(&mut self) -> Result<(), SurveyError> {
        let Some(heartbeat) = &self.heartbeat else { return Ok(()) };
        let every = self.settings.heartbeat_every;
        if self.called.is_some_and(|called| called.elapsed() < every) {
            return Ok(());
        }
        if self.survey.store().alert_counts().await?.attempts > FAILURES {
            return Ok(());
        }
        self.called = Some(Instant::now());
        let called = heartbeat.call().await;
        self.telemetry.alerts.called(called.is_ok());
        match called {
            Ok(()) => self.logged.heartbeat = false,
            Err(error) if !std::mem::replace(&mut self.logged.heartbeat, true) => {
                tracing::warn!(error, "the watchdog is not reached");
            }
            Err(_) => {}
        }
        Ok(())
    }
}
