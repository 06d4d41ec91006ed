# The participant's pages
brand = Electricity study
menu-today = Today
menu-measurements = Readings
menu-live = Now
menu-registration = Details
menu-devices = Devices
menu-consent = Consent
menu-data = My data
to-start = To the start page
to-sign-in = To the sign-in page

# Signing in
sign-in-title = Sign in
sign-in-what = This device reads your electricity meters for a scientific study. Here you see what it measures, and decide whether it may.
code-label = Your access code
code-hint = Eight characters, such as K7QM-2XTD. Capital or small letters, with or without the hyphen.
code-again = Please enter your access code once more
stay = Stay signed in on this phone for 30 days, only to look
sign-in = Sign in
where-code = Where do I find the code?
where-code-text = The code is on the sheet that came with the device. If you no longer have the sheet, ask the research group for a new code.
sheet = Drawing of the sheet: the code stands beside the square pattern.
code-wrong = This code is not right. Compare it with the sheet and try again.
code-wait-seconds = { $count ->
    [one] Too many wrong codes were entered. You can go on in { $count } second.
   *[other] Too many wrong codes were entered. You can go on in { $count } seconds.
}
code-wait-until = Too many wrong codes were entered. You can go on at { $time }.
session-ended = Your session has ended. Please sign in again.
session-ended-draft = Your session has ended, and nothing was sent. Sign in again: your message is kept.
signed-out = You are signed out.
cookies-off = Your browser did not keep the sign-in. Allow cookies for this address and sign in again. This page needs a single one, which ends when you sign out.
clock-not-set = The clock of this device is not set yet. It will be as soon as the device reaches the internet; it measures nevertheless.
not-enrolled = This device is not set up yet. Contact the research group.

# Faults
request-id = Identifier of the request: { $id }. Name it when you ask the research group.
nothing-changed = Nothing was changed.
not-found-title = There is no such page
not-found = There is nothing at this address.
not-found-remedy = Go to the start page and follow the links from there.
form-refused-title = The form was not accepted
form-refused = It did not come from a page of this device, or your session has changed meanwhile.
form-refused-remedy = Open the page anew and try again.
too-long-title = This is too long
too-long = What was sent is longer than this device accepts.
too-long-remedy = Shorten the text and send it again.
away-title = The study's server cannot be reached
away = The study's server does not answer at the moment.
away-holds = Your device goes on measuring, and keeps what it has measured until the server has it.
away-remedy = Try again in a few minutes. Check whether your internet connection works.
not-accepted-title = The server does not accept this page
not-accepted = The study's server no longer recognizes this device.
not-accepted-remedy = Contact the research group.
refused-title = That did not work
refused = The study's server did not accept the request.
refused-remedy = Open the page anew. If it fails again, contact the research group.
request-refused = This request cannot be answered.
wrong-address = The device does not answer at this address. Open one of these, or its IP address: { $names }

# Today
state-not-granted = Nothing is measured: your consent is still missing.
state-unknown = At the moment it is not known whether anything is measured.
state-granted = Your consent is granted.
state-first = Everything is ready. The first reading comes at { $time }.
state-well = All is well: your meters are being read.
state-one-silent = One of your meters was last read { $ago }. Each should be read every 15 minutes.
state-silent = The last reading was taken { $ago }. There should be one every 15 minutes.
state-head = A reading head cannot be reached. Check that it sits on the meter and that its cable is plugged in.
state-locked = A meter is locked: it shows whole kilowatt hours only. So there are no quarter hours, and days only as a range.
before-consent = Until you consent, the device opens no reading head. After your consent it reads your meters every 15 minutes and sends the values to the study's server.
to-consent = To the consent page
cloud-away-since = The study's server has not been reachable since { $time }. The device goes on measuring; new figures come when it answers again.
cloud-refuses = The study's server gives no information at the moment. If this continues, contact the research group.
meterside-missing = The measuring program on this device does not answer. Contact the research group if this lasts for more than a few minutes.
last-measured = Last measured
last-sent = Last sent
power-in = Power from the grid
power-out = Power into the grid
power-sum = Power
power-generated = Power of the solar panels
today-figures = Today so far
yesterday = Yesterday
figures-until = The figures reach to { $time }. The device sends new ones every hour.
figures-of = As of { $time }; the server has not been reachable since.
to-measurements = Other days, weeks, months and years
something-wrong = Something is wrong
pause = Pause updates

# Figures and chart
import = Imported
export = Fed in
generation = Generated
own-share = Used yourself
autarky = Self-supplied
before = before: { $value }
from-to = { $from } to { $to }
range-why = The meter shows whole kilowatt hours only.
formula-import = What came from the grid: the meter at the end minus the meter at the beginning.
formula-export = What went into the grid: the meter at the end minus the meter at the beginning.
formula-generation = What your solar panels generated: the meter at the end minus the meter at the beginning.
formula-own-share = (generated − fed in) ÷ generated: the part of your solar power that you used yourself.
formula-autarky = (generated − fed in) ÷ (imported + generated − fed in): the part of your consumption that you generated yourself.
formula-battery = This includes the losses of your battery.
why-no-generation-meter = No meter counts what your solar panels generate.
why-topology = The way your meters are connected, it cannot be computed.
why-no-grid-meter = A meter at the grid connection is missing for this.
why-several-grid-meters = Several meters at the grid connection are registered; this cannot be computed from them.
why-one-register = The meter at the grid connection shows only what is drawn.
why-coverage = Too many readings are missing.
why-too-little = It is too little electricity yet.
why-not-measured = Readings are missing for this.
chart-title = Electricity, { $period }
chart-text = Bars upwards: imported from the grid. Bars downwards: fed into the grid. Line: generated. All values are in the table below.
chart-keys = Chart, can be read with the arrow keys
chart-hint = Read it out by finger, mouse or arrow keys.
legend-import = Imported (upwards)
legend-export = Fed in (downwards)
legend-generation = Generated (line)
legend-gap = not measured (hatched)
table = As a table
column-time = Time
column-day = Day
column-month = Month
column-coverage = Measured
no-energy = There are no readings of this time.
only-range = Shorter times are not known, as the meter shows whole kilowatt hours only.
day-of-23-hours = Summer time begins on this day: it has 23 hours.
day-of-25-hours = Summer time ends on this day: it has 25 hours, and the time from 02:00 to 03:00 comes twice.
remark-reset = A meter was exchanged in this time, or began anew. Nothing is computed across the change.
remark-doubtful = Some values are doubtful; they are drawn paler.
remark-coarse = A meter showed whole kilowatt hours only in this time.

# Readings
period = Period
period-day = Day
period-week = Week
period-month = Month
period-year = Year
previous-day = Day before
previous-week = Week before
previous-month = Month before
previous-year = Year before
next-day = Day after
next-week = Week after
next-month = Month after
next-year = Year after
date = Day
show = Show
compared-with = Small figures: { $period }.
coverage = { $share } of the quarter hours are measured.
coverage-none = Nothing was measured in this time.
formulas = How the figures are computed
money-title = What it is worth
money-text = Your prices are then part of this page's address, and your browser keeps them. They are not stored on the device.
import-price = Price per kWh from the grid, ct
export-price = Payment per kWh into the grid, ct
compute = Compute
earned = Earned
saved = Saved
price-wrong = Enter both prices in cents, such as 32.5 and 8.1.
prices-own = Computed with your prices.
prices-survey = Computed with the study's prices.
prices-own-form = Your own prices
prices-forget = Forget my prices
money-earned-formula = Earned: { $energy } kWh fed in × { $price } ct = { $euros }
money-saved-formula = Saved: { $energy } kWh used yourself × { $price } ct = { $euros }
money-by-days = The price changes in this period: each day is computed with its own.
money-price-from = From { $day }: { $import } ct per kWh from the grid, { $export } ct per kWh into the grid.
money-missing-days = { $count ->
    [one] { $count } day is missing in the sum, as it is not known how much electricity it was.
   *[other] { $count } days are missing in the sum, as it is not known how much electricity it was.
}
money-missing-days-earned = { $count ->
    [one] { $count } day is missing in what was earned, as it is not known how much electricity was fed in.
   *[other] { $count } days are missing in what was earned, as it is not known how much electricity was fed in.
}
money-missing-days-saved = { $count ->
    [one] { $count } day is missing in what was saved, as it is not known how much electricity you used yourself.
   *[other] { $count } days are missing in what was saved, as it is not known how much electricity you used yourself.
}
money-by-quarters = The price changes each quarter of an hour: the energy of each is computed with its own price.
money-earned-quarters = Earned: { $energy } kWh fed in, at { $price } ct per kWh on average = { $euros }
money-saved-quarters = Saved: { $energy } kWh used yourself, at { $price } ct per kWh on average = { $euros }
money-missing-quarters = { $count ->
    [one] { $count } quarter of an hour is missing in the sum, as its electricity or its price is not known.
   *[other] { $count } quarters of an hour are missing in the sum, as their electricity or their price is not known.
}
money-missing-quarters-earned = { $count ->
    [one] { $count } quarter of an hour is missing in what was earned, as its electricity or its price is not known.
   *[other] { $count } quarters of an hour are missing in what was earned, as their electricity or their price is not known.
}
money-missing-quarters-saved = { $count ->
    [one] { $count } quarter of an hour is missing in what was saved, as its electricity or its price is not known.
   *[other] { $count } quarters of an hour are missing in what was saved, as their electricity or their price is not known.
}
money-shorter-period = The price changes each quarter of an hour. Choose a month or less to see what the electricity is worth.
money-without = Without standing charges and taxes.
no-such-day = There is no such day or period. Today is shown.
before-the-first = Nothing had been measured here yet in this period.
no-period = No period
no-period-why = There are no readings for this address: the day must be written as 2026-03-31 and lie between the years 2000 and 2100, and the period must be a day, week, month or year.
in-the-future = This period is in the future.
downloads = Download
csv-german = CSV for German spreadsheets
csv-rfc = CSV with commas and decimal points
json = JSON

# Readings that wait
waiting-count = { $count ->
    [one] { $count } reading is waiting on this device.
   *[other] { $count } readings are waiting on this device.
}
pending-title = What is still on the device
pending-why = The device sends its readings every hour. It deletes them only when the server confirms that it has them.
never-sent = The device has never sent anything.
sent-at = Last sent: { $time }.
report-due = It sends again at about { $time }.
report-late = The next report is overdue.
waits-for-server = The study's server has not been reachable since { $time }, so the readings wait. Check whether your internet connection works.
unplaced-count = { $count ->
    [one] { $count } reading has no time yet, because the clock was not set.
   *[other] { $count } readings have no time yet, because the clock was not set.
}
refused-count = { $count ->
    [one] { $count } reading was not accepted by the server.
   *[other] { $count } readings were not accepted by the server.
}
only-newest = { $count ->
    [one] The newest is shown.
   *[other] The newest { $count } are shown.
}
spool-damaged = The device's memory cannot be read. The measuring program makes a new one; contact the research group if this continues.
spool-full = The device's memory is full: it measures again once it could send.
spool-set-aside = The device's memory was damaged; it made a new one. The research group knows.
meter = Meter
column-import = Register in
column-export = Register out
register-import = Register, import
register-export = Register, fed in

# Now
live-what = What your meters showed last. Reading them now takes up to 15 seconds.
read-now = Read now
read-again = Read again
never-measured = never measured yet
live-no-consent = Without your consent no meter is read.
live-busy = The meter is being measured. Try again in a minute.
live-silent = The meter sent nothing. Check that the reading head sits on the meter.
live-head-away = The reading head cannot be reached. Check that it sits on the meter and that its cable is plugged in.
live-held = Last read: { $when }

# Details
name = Name
email = E-mail
street = Street
city = City
location = Location
map = Map with the location of your household
yes = yes
no = no
adults = Adults
adults-with-job = of them with a job
children = Children
ev-charger = Charger for an electric car
heat-pump = Heat pump
home-battery = Battery
metering-concept = Connection of the solar panels
concept-surplus = used here first, the rest is fed in
concept-full = all of it is fed in, by a meter of its own
concept-cascade = several systems one after the other (cascade)
concept-none = no solar panels
concept-unknown = not said
battery-ac = yes, at the house's mains
battery-dc = yes, at the inverter
nominal-power = Nominal power
azimuth = Orientation (180° is south)
tilt = Tilt
installed = In operation since
meter-grid = Meter at the grid connection
meter-generation = Meter of the solar panels
about-contact = Name and e-mail
about-address = Address and location
about-answers = Answers about the household
about-meter = Meters
about-pv-system = Solar panels
about-device = Measurement device
about-measurements = Readings
about-consent = Consent and privacy
about-other = Something else
message-title = Write to the research group
message-what = Is something wrong here, or do you have a question? At most 2,000 characters. The answer appears on this page.
message-about = What is it about?
message-text = Your message
message-send = Send message
message-sent = Your message has arrived.
message-kept = You are signed in again. Your message is below, and has not been sent yet.
message-empty = Write what is wrong.
message-long = The text has { $count } characters; at most 2,000 are possible.
message-about-missing = Choose what it is about.
message-not-sent = The message could not be sent; your text is still in the field. Try again in a few minutes.
message-too-many = Too many messages are open already. Wait for an answer.
messages = Your messages
message-open = not answered yet
message-answer = Answer:

# Devices
device = Measurement device
device-well = It measures and sends.
device-silent = It has sent nothing for more than three hours.
device-sent-nothing = It has sent nothing yet. The first report comes within an hour of your consent.
device-no-consent = Nothing is measured: your consent is missing.
device-never = It has never been in touch.
device-incident = It reports a fault at a meter.
last-seen = Last in touch
connections = What is connected to what
identifier = Identifier
loose-meters = Meters that no device reads
uncounted-systems = Solar panels that no meter counts
no-devices = No device is registered yet.
removed-on = removed:
counts-grid = counts what comes from the grid and what goes into it
counts-generation = counts what the solar panels generate
this-device = This device
waiting = Waiting
certificate-end = Certificate valid until
certificate-near = This device's certificate ends soon and was not renewed. Contact the research group if this continues.
system-with-power = Solar panels with { $power }
incident-head = The reading head cannot be reached.
incident-locked = The meter shows no details; it may be locked.

# Remote access
remote-access = Remote access
remote-state = Now
remote-none = Remote access is not set up on this device.
remote-missing = The program for remote access does not answer. As long as it does not run, nobody can connect to this device from afar.
remote-never = Remote access is never permitted on this device.
remote-until = Remote access is permitted until { $time }.
remote-permitted = Remote access is permitted.
remote-switched-off = Remote access is switched off.
remote-off = Remote access is off until you switch it on.
remote-connected = Connected now: { $who } since { $time } ({ $service }).
remote-reachable = The research group can reach the device since { $time }.
remote-not-reachable = The research group cannot reach the device at the moment.
remote-what = By remote access the research group maintains this device. The device records each session before it begins.
remote-services = Nothing but this can be reached: { $services }.
remote-switch = Switch remote access on or off
remote-standard-on = Without your choice remote access is permitted.
remote-standard-off = Without your choice remote access is off.
remote-day = Permit until the end of this day
remote-permit = Permit until then
remote-switch-off = Switch off now
remote-as-configured = Take back my choice
remote-switch-what = After that day remote access stays off until you permit it again. Switching off ends sessions that are open, too.
remote-day-wrong = Choose a day from today on, a year ahead at most.
remote-not-set = That did not work; nothing was changed. Try again in a minute.
remote-done = Your choice counts from now on.
remote-sessions = Sessions
remote-table = Table of sessions
remote-no-sessions = Nobody has connected to this device from afar yet.
remote-from = Began
remote-who = Who
remote-service = To what
remote-lasted = Lasted
remote-end = End
remote-goes-on = still open
remote-closed = ended
remote-broken = broken off
remote-idle = ended, as nothing happened
remote-too-long = ended after the longest time
remote-ended-by-you = switched off by you
remote-interrupted = interrupted, as the device started anew

# Consent
consent-granted-on = You have consented: { $when }.
granted-by-page = It was granted on this page.
granted-by-device = It was granted by the program on the measurement device.
granted-by-certificate = It was granted with your own certificate.
granted-by-token = It was granted by another program of yours.
consent-granted = You have consented.
consent-not-granted = You have not consented yet. Nothing is measured.
consent-about = What it is about
consent-details = All information on privacy
controller = Responsible
consent-text =
    This device measures the registers of your electricity meters and the power every 15 minutes. That can show when somebody is at home and what habits a household has.

    The readings serve research. Taking part is voluntary; you suffer no disadvantage without it. You can revoke your consent at any time here, by letter or by phone.

    Talk to everybody who lives here first.
grant-title = Grant consent
grant-what = When you consent, the device begins to measure. You can end that here at any time. The next page says what happens; only there do you consent.
grant-tick = I have read the information and agree to the measurement.
grant = Grant consent
granted-now = Your consent is granted. Save a copy for yourself; you can print it, too.
copy-title = Consent
copy-survey = Study
copy-granted = Granted on
copy-version = Version of the text
save-copy = Save my consent with the whole text
text-is-newer = The text below is newer than the one that you consented to.
revoke-anytime = You can revoke this consent at any time: on the device's page, by letter, by e-mail or by phone.
revoke-title = Revoke consent
revoke-what = When you revoke, the device stops measuring, for good. The next page says what happens to your data; only there do you revoke.
revoke-tick = I want to revoke my consent.
revoke = Revoke consent
purposes-title = Further consents
purposes-what = Each is voluntary and stands by itself: taking part depends on none of them, and you can revoke each one.
purposes-confirm = You also agree
purposes-not-stored = Your consent to the measurement is granted. Not all of the further consents could be stored; those that hold stand below.
purpose-not-given = Not given.
purpose-given = Given: { $when }.
purpose-withdrawn = Revoked: { $when }.
purpose-give = Give
purpose-withdraw = Revoke
purpose-done = Your decision is stored.
tick-first = Set the tick first.
confirm-grant-title = Confirm consent
confirm-grant-text =
    ## What happens
    - The device reads your meters every 15 minutes.
    - It sends the values to the study's server.
    - You see everything here that was measured.
    - You can revoke at any time.
confirm-revoke-title = Confirm revocation
confirm-revoke-text =
    ## Deleted
    - your name, your e-mail address and your address
    - your messages and the state of your device
    - everything that is still on this device
    ## Changed
    - The location is moved, by 0.3 to 20 km depending on how many people live there.
    - The power of the solar panels is rounded; of the date the year is left.
    ## Kept
    - the readings and the answers about the household, without name and address
    - backups for up to 30 days
    ## Afterwards
    - The device never measures again. Please return it.
download-first = Download all my data first
not-done = That could not be carried out; nothing was changed. Try again.
text-changed = The text has changed since you opened it. Please read it again; nothing was changed.
unknown-title = The result is not known
unknown-grant = The server did not answer. Your consent may be granted, or not. Look again in a few minutes.
unknown-revoke = The server did not answer. Your revocation may be carried out, or not. Look again in a few minutes.
look-again = Look again
ended-title = Your consent is revoked
ended-since = Since
ended-text =
    This device does not measure any more, and never will again.
    ## Deleted
    - your name, your e-mail address and your address
    - your messages and the state of your device
    ## Changed
    - the location of your household and the details of the solar panels
    ## Kept
    - the readings and the answers about the household, without name and address
    - backups for up to 30 days
    ## What you do now
    - Take the reading head off the meter and unplug the device.
    - Return it to the research group.

    Thank you for taking part.

# My data
data-what = Here you get everything that the study has stored about your household.
data-size = Large files take some time; they are sent while they are made.
data-rights = You have a right to this information, and to a copy in a format that programs can read (GDPR, Articles 15 and 20).
everything-json = Everything in one file (JSON)
measurements-csv = Readings (CSV): { $meter }
releases-title = Data sets that you are in
releases-none = Your household is in no data set that has left the research group.
releases-what = These data sets have left the research group. Your name, address and location are in none of them.
release-research = Your household is one of many without a name. It went to { $recipient }, under contract.
release-research-unnamed = Your household is one of many without a name. It went to a recipient under contract.
release-public = Your household is part of figures of many households together, for everybody.
release-detail-nuts3 = Shown besides energy: your district, and in classes the answers about your household and your system.
release-detail-nuts2 = Shown besides energy: your part of a federal state, and in classes the answers about your household and your system.
release-detail-nuts1 = Shown besides energy: your federal state, and in classes the answers about your household and your system.
release-detail-country = Shown besides energy: your country, and in classes the answers about your household and your system.
release-detail-no-year = Shown besides energy: your country, and in classes the answers about your household and your system, but not when it was installed.
release-detail-no-tilt = Shown besides energy: your country, and in classes the answers about your household, and power and direction of your system.
release-detail-no-azimuth = Shown besides energy: your country, and in classes the answers about your household, and the power of your system.
release-detail-no-persons = Shown besides energy: your country, and in classes the power of your system.
release-detail-no-power = Shown besides energy: your country, and whether you have a system.
release-detail-nothing = Shown besides energy: nothing.
release-detail-other = Shown besides energy, at most: { $detail }

# Help and notes
contacts = Whom you can ask
help-title = Help
help-text =
    ## What does this device do?
    It reads your electricity meters every 15 minutes through a reading head and sends the values to the study's server every hour. It measures only as long as you consent.
    ## It does not measure
    - Does the reading head sit firmly on the meter, with the cable downwards?
    - Is the lamp of the device on?
    - Does your internet connection work?
    ## The meter shows whole kilowatt hours only
    Then it is locked. Your metering operator gives you a PIN; the research group helps with it.
    ## A figure is wrong
    Write to the research group on the page Details.
privacy-title = Privacy
privacy-text =
    ## This page
    It comes from the device in your home network. It loads nothing from other servers and counts no visits.
    ## Cookies
    To sign in it needs one cookie, which ends when you sign out. Others keep language, appearance and your prices if you choose them. All are necessary or wanted by you (section 25(2) TDDDG).
    ## What others see
    The page is sent without encryption in your home network. Whoever can listen there sees what you see.
    ## The study
    What is measured, for what, and which rights you have is on the page Consent.
accessibility-title = Accessibility
accessibility-text =
    Everybody should be able to use these pages. They follow WCAG 2.2, level AA.
    ## What was done
    - Everything works by keyboard and without scripts.
    - Below each chart the same values stand in a table.
    - Nothing is said by colour alone.
    - The pages fit narrow screens and large text.
    ## What is missing
    - A test by people who rely on assistive technology is still to be made.
    ## If something does not work
    Write to the research group. If that does not help, turn to the conciliation body of your federal state.
