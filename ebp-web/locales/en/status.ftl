# The administrators' pages
status-menu-overview = Devices
status-menu-alerts = Alerts
status-menu-rollout = Roll-out
status-menu-server = Server
to-overview = To all devices
to-device = To the device
never = never
status-meter = Meter
status-grid = Grid
status-generation = Generation

# States of devices
fleet-all = All
fleet-speaks-on = Speaks on after revocation
fleet-never-spoke = Never spoke
fleet-silent = Silent
fleet-late = Late
fleet-incident = Incident
fleet-damaged = Damaged telegrams
fleet-clock = Clock not synchronised
fleet-spool = Spool filling
fleet-certificate = Certificate ends
fleet-version-behind = Older version
fleet-healthy = Healthy
fleet-not-granted = Without consent
fleet-revoked = Revoked
why-silent = last report { $ago }
why-late = last measurement { $ago }
why-never-measured = a meter was never measured
why-damaged = { $share } of a meter's
why-spool = { $count ->
    [one] { $count } measurement waits
   *[other] { $count } measurements wait
}
why-certificate = on { $time }
why-certificate-ended = ended on { $time }
incident-port = Reading head unreachable
incident-codes = Values missing, perhaps locked
incident-another-meter = another meter
consent-is-not-granted = not granted
consent-is-granted = granted
consent-is-revoked = revoked
silenced = silenced

# Overview
overview-title = Devices
overview-attention = { $count ->
    [one] { $count } device needs attention.
   *[other] { $count } devices need attention.
}
overview-all-healthy = All devices are well.
overview-none = No device is registered yet.
overview-none-yet = Researchers add a device with its household. Here you make a token for it afterwards, by which it is enrolled.
overview-none-found = No device is like that.
overview-not-understood = A part of this page's address is not understood and was left out.
overview-stale = The database does not answer. This is as of { $time }, without the participants' names; devices measure on and keep what they measure.
overview-not-renewed = This could not be refreshed: the server or its database does not answer. What is shown above is of the time that it says; devices measure on and keep what they measure.
overview-withheld = { $count ->
    [one] { $count } household revoked its consent and is withheld until its location can be masked.
   *[other] { $count } households revoked their consent and are withheld until their locations can be masked.
}
overview-search = Name, device or household
overview-find = Show
overview-clear = Show all
overview-any-version = any version
overview-states = States
overview-devices = Devices with their states
overview-judged = As of
overview-refresh = Refresh now
overview-pause = Pause refreshing
overview-pages = Further devices
overview-first = First page
overview-next = Next page
column-device = Device
column-state = State
column-participant = Participant, household
column-consent = Consent
column-measured = Last measurement
column-report = Last report
column-version = Version
column-incidents = Incidents
column-damaged = Damaged
column-certificate = Certificate until

# A device
device-title = Device { $device }
device-identifier = Identifier
device-household = Household
device-activity = Last request
device-is-revoked = Its household revoked its consent. The device belongs to nobody any more: what it sent as its state is deleted, and it has to be returned.
device-never-spoke = This device never sent a report. Make a token, and have it enrolled with that; then it reports within an hour after consent is granted.
silence-title = Silence
silence-what = While a device is silenced nobody is alerted because of it.
silence-reason = Reason
silence-since = Since
silence-until = Until
silence-last-day = Last day (may stay empty)
silence-holds = Goes on until that day, though the device recovers before
silence-begin = Silence
silence-end = End the silence
silence-until-recovery = until the device recovers
silence-until-time = until { $time } at the latest
silence-begun = The device is silenced.
silence-ended = The silence is ended.
silence-no-reason = Say why the device is silenced, in 1 to 200 characters.
silence-no-end = Name a day from today on, within 400 days, or leave the tick out.
silence-gone = The device is not silenced any more.
timeline-heading = The last 30 days
timeline-title = Slots of the last 30 days, { $meter }
timeline-text = Each row is a day, the latest below, from midnight on the left to midnight on the right. Every state has a shape of its own; the list below has the counts.
timeline-list = As a list by day
timeline-day = Day
timeline-none = The device reads no meter.
slot-measured = measured
slot-late = late
slot-flagged = doubtful
slot-waiting = waiting
slot-missing = missing
gaps-title = Gaps
gaps-none = Nothing is missing.
gaps-more = { $count ->
    [one] and { $count } earlier one
   *[other] and { $count } earlier ones
}
gap-from = From
gap-to = To
gap-slots = Slots
gap-kind = State
incidents-title = Incidents
incidents-none = There was none in 400 days.
incident-kind = Incident
incident-open = open
past-title = Day by day
past-none = The device sent no status yet.
damaged-title = Damaged telegrams by day, percent
damaged-text = A bar for each day with a status. All values are in the table below.
damaged-gap = no telegrams
health-title = Last status
health-none = The device sent no status yet.
health-reported = Sent
health-clock = Clock
health-telegrams = Damaged of all telegrams, meter { $meter }
health-notice = Notice
clock-synchronised = synchronised
clock-unsynchronised = not synchronised
spool-pending = Waiting
spool-refused = Refused
spool-unplaced = Without a reliable time
spool-size = Spool, kB
notice-set-aside = A spool that could not be opened was moved aside.
notice-full = The spool is full: nothing more is measured.
notice-damaged = The spool has rows that cannot be read.
component = Component
component-since = Since
certificates-title = Certificates
certificates-none = None was issued yet.
certificates-revoked = When the household revoked its consent, its certificates were revoked, too. The list of all certificates has them (ebp ca list).
certificate-serial = Serial number
certificate-scopes = Permits
certificate-until = Valid until
certificate-state = State
certificate-revoked = revoked
certificate-ended = ended
certificate-revoke = Revoke
certificate-revoke-all = Revoke all certificates
certificate-revoke-title = Revoke a certificate
certificate-revoke-all-title = Revoke all certificates
certificate-revoke-what = The certificate { $serial } is refused from the next request on, by every server.
certificate-revoke-all-what = All certificates of this device are refused from the next request on, by every server, and its tokens are void.
certificate-revoke-final = This cannot be undone. To speak again, the device has to be enrolled with a new token. What it measured stays on it.
certificate-is-revoked = The certificate is revoked.
certificates-are-revoked = { $count ->
    [0] No certificate was valid any more.
    [one] { $count } certificate is revoked.
   *[other] { $count } certificates are revoked.
}
token-heading = Enrol
token-what = A token enrols the device once, within 72 hours. A token that was made before and not used becomes void.
token-make = Make a token
token-title = Token for the device
token-once = This is shown once. Whoever has the token can enrol the device.
token = Token
token-code = Sign-in code of the device's page
token-until = Valid until
token-how = On the device: ebp device enroll, with this token. The code is for the participant's sheet, and counts once the device is enrolled.
tunnel-title = Remote access
tunnel-none = This device never had a tunnel.
tunnel-revoked = Whether it had a tunnel is not known any more: that was deleted with the consent.
tunnel-state = Tunnel
tunnel-connected = connected
tunnel-away = not connected
tunnel-since = Connected since
tunnel-seen = Last seen
tunnel-session-ends = The session is being ended: the server that carries it does so within a second.
tunnel-copied = Two processes used its certificate in turn: it was copied
sessions-title = Sessions
session-who = Who
session-service = Service
session-open = open
session-closed = closed
session-broken = broken off
session-idle = idle for too long
session-too-long = too long
session-revoked = certificate revoked
session-stopped = server stopped
updates-place = Which version the devices take: Roll-out

# Alerts
alerts-title = Alerts
alerts-off = This server watches no devices: its configuration has no table [alerts].
alerts-failing = Messages by { $channel } fail: { $error }
alerts-now = Wrong now
alerts-none-open = Nothing is wrong by these rules.
alerts-pending = { $count ->
    [one] { $count } message waits to be sent.
   *[other] { $count } messages wait to be sent.
}
alert-silent = Silent device
alert-late = Late measurements
alert-incident = Open incident
alert-certificate = Certificate ends
alert-damaged = Damaged telegrams
alert-copied-certificate = Certificate used by two processes
alert-new-error = New error
alert-over = over: { $kind }
rules-title = Rules
rule-off = not used
rule-silent = no report for { $length }
rule-late = no measurement of a meter for { $length }
rule-incident = open for { $length }
rule-certificate = ends within { $length }
rule-damaged = { $percent } % and more
rule-copied-certificate = as soon as two processes use it, always
rule-new-error = as soon as a device has an error that no device had before, always
length-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
length-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
length-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
length-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
quiet-none = Messages are sent at any time.
quiet-hours = Nothing is sent from { $from } to { $to }; what changed is told at { $digest } ({ $zone }).
alerts-heartbeat = A watchdog elsewhere is called as long as devices are watched.
alerts-no-heartbeat = No watchdog is called: nobody notices if watching itself stops.
rules-change = Change the rules
rules-change-title = Rules of alerts
rules-empty = An empty field switches a rule off. The rules hold for all servers of the database.
rules-silent = No report for so many minutes
rules-late = No measurement of a meter for so many minutes
rules-incident = An incident is open for so many minutes
rules-certificate = A certificate ends within so many days
rules-damaged = So many percent of a meter's telegrams are damaged
rules-quiet = Quiet hours
rules-digest = What changed is told at
rules-save = Save
rules-saved = The rules are changed; they hold from the next look at the devices on.
rules-others = As somebody else has changed the rules meanwhile
rules-changed = Somebody else changed the rules since you opened this page. Theirs are shown below; if you save now, yours replace them.
rules-fault-length = Between 1 minute and 366 days: { $field }
rules-fault-damaged = Between 1 and 100, as a whole number: { $field }
rules-fault-quiet = Quiet hours need two different times, and the digest a time outside of them.
rule-history-title = Changes of the rules
rule-history-none = The rules are those of the configuration.
rule-history = Version { $version }, { $time }
channels-title = Ways
channels-none = No way to send messages is configured.
channel-webhook = Webhook
channel-mail = E-mail
delivery = { $count ->
    [one] { $channel }: { $state }, { $count } attempt
   *[other] { $channel }: { $state }, { $count } attempts
}
delivery-none = nothing was sent yet
delivery-pending = waiting
delivery-sent = sent
delivery-given-up = given up
delivery-dropped = dropped, its households revoked their consent
alerts-test = Send a test
alerts-test-sent = A test was made; it is sent soon, in quiet hours, too.
log-title = Messages
log-none = No message was sent yet.
log-pages = Further messages
log-latest = Latest messages
log-older = Older messages
message-changes = Changes
message-digest = Digest of quiet hours
message-test = Test
alerts-began = { $count ->
    [one] { $count } began
   *[other] { $count } began
}
alerts-ended = { $count ->
    [one] { $count } ended
   *[other] { $count } ended
}
alerts-more = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
}

# Server
server-title = Server
server-ready-title = State
server-ready = The server answers.
server-not-ready = The server does not answer:
server-took = { $count ->
    [one] The database took { $count } millisecond.
   *[other] The database took { $count } milliseconds.
}
server-version = Version
server-away = The database does not answer within five seconds.
figures-title = Figures
figures-none = The database does not answer.
figures-devices = Devices: { $active } reported lately, { $silent } did not, { $never } never did; { $revoked ->
    [one] { $revoked } is of a household that revoked.
   *[other] { $revoked } are of households that revoked.
}
figures-alerts = Alerts: { $open } open, { $pending ->
    [one] { $pending } message waiting.
   *[other] { $pending } messages waiting.
}
figures-jobs = Jobs: { $waiting } waiting, { $running } running, { $failed } failed.
figures-pool = Connections to the database: { $used } of { $most } in use, { $waiting ->
    [one] { $waiting } request waiting for one.
   *[other] { $waiting } requests waiting for one.
}
backups-title = Backups
backup-unknown = Where backups are is not configured, so that their age is not known here.
backup-missing = There is no backup in the configured folder.
backup-newest = The newest backup was made { $ago }.
errors-title = Errors of this server
errors-none = No error has occurred.
errors-new = Within the last 24 hours an error occurred that there had not been before.
error-types = Type
error-place = Place in the sources
error-component = Part
error-count = Count
error-first = First seen
error-last = Last seen
error-is-new = (new)
device-errors-title = Errors of devices
device-errors-none = No device has reported an error.
device-errors-new = Within the last 24 hours a device reported an error that no device had before.
error-devices = Devices
error-versions = Versions
jobs-title = Jobs
jobs-none = There is no job.
jobs-older = Older jobs
job = Job
job-kind = What
job-group = Group
job-asked = Asked for
job-ended = Ended
job-may = Change
job-risk-report = Risk report
job-household-import = Import of households
job-export = Data set
job-waiting = waiting
job-running = running
job-succeeded = done
job-failed = failed
job-cancelled = cancelled
job-cancel = Cancel
job-retry = Retry
job-is-cancelled = The job is cancelled, or stops within seconds.
job-is-retried = The job begins anew.
job-not-so = The job is in another state by now.
group-researchers = Researchers
group-administrators = Administrators
sessions-heading = Signed in
session-label = Name
session-browser = Browser
session-began = Since
session-seen = Last seen
session-own = (this session)
session-end = End
session-end-title = End a session
session-end-what = Whoever has this session has to sign in again.
session-is-ended = The session is ended.

# The roll-out of a version
rollout-title = Roll-out
rollout-now = This version is rolled out
rollout-none = No version was ever rolled out: each device takes the newest one that is signed.
rollout-version = Version
rollout-state = State
rollout-step = Step
rollout-since = In this step since
rollout-step-first = { $step } of { $steps }: the devices that were named
rollout-step-share = { $step } of { $steps }: up to { $share } % of all devices
rollout-running = running
rollout-halted = halted
rollout-finished = finished
rollout-ended = ended
rollout-halt-failures = halted, since too many devices did not keep the version
rollout-halt-silence = halted, since a device of the first step says nothing
rollout-halt-administrator = halted by an administrator
rollout-is-halted = The version is offered to no further device until somebody resumes it.
rollout-devices = Devices
rollout-device-failed = did not keep the version
rollout-device-silent = says nothing since it has the version
rollout-device-trying = tries the version
rollout-device-offered = was offered the version
rollout-device-set-aside = did not try the version for a day
rollout-device-excused = failed, and somebody went on
rollout-device-gone-over = has the version
rollout-device-waiting = waits for its turn
rollout-device-absent = does not ask what it should run
rollout-device-pinned = has a version in its configuration
rollout-device-flux = is updated by Flux
rollout-do-halt = Halt
rollout-do-resume = Resume
rollout-do-advance = Next step
rollout-do-end = End
rollout-do-note = Resuming and the next step excuse devices that failed. Ending is for good.
rollout-history = What happened
rollout-event = { $at }: { $what }, step { $step }, by { $by }
rollout-by-server = this server
rollout-begin = Roll out a version
rollout-begin-version = Version, which is published
rollout-begin-first = Devices that go first (identifiers with spaces between them)
rollout-begin-steps = Steps: shares of all devices in percent
rollout-begin-soak = So many hours each step is looked at
rollout-begin-button = Roll out
rollout-was-begun = The version is rolled out.
rollout-was-changed = That is done.
rollout-fault-form = Shares rise up to 100, a step is looked at for 720 hours at most, and version and devices are written in full.
rollout-fault-unpublished = That version is not published: it has to be added, signed and published first (ebp release).
rollout-fault-recalled = That version is recalled: no device goes over to it.
rollout-fault-releases = The folder of releases that the server knows cannot be read.
rollout-fault-device = One of the devices does not exist, or its household has revoked.
rollout-fault-state = That cannot be done in this state: it is shown below as it is now.
rollout-fault-changed = Somebody else changed it since you opened this page. It is shown below as it is now.
