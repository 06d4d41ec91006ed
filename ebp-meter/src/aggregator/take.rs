//! What follows from a job's report.
//!
//! Enters: a report, what is known of the meter. Leaves: a kept measurement, what is remembered,
//! incidents, events. Absent: what is to be done next, which follows from that by itself.

use ebp_core::{
    clock::Moment,
    model::{Failures, Flag, IncidentType, Measurement, MeasurementData, measurement_id},
};
use jiff::Timestamp;

use super::{
    ConfiguredMeter, Done, Event, Failing, Heard, Keeper, LastReading, MeasureError, Memory,
    NotUnlocked, Options, ReadError, Telegram, Unplaced,
    damage::Verdict,
    plausible,
    slots::{Key, Present},
    watch::{TRY_AGAIN, Watch},
};
use crate::{
    canonical::{Figure, KnownRegisters, Source},
    lock::Lock,
    profile::RelockBehaviour,
    readout::MeterTime,
    unlock::{Lasting, Refused, UnlockError, Unlocked},
};

/// From a try to unlock that the line has hindered to the next, seconds.
const LINE_AGAIN: i64 = 300;

/// A meter whose report is taken.
pub(super) struct Taking<'a, K: Keeper> {
    pub meter: usize,
    /// The slot that the job was for.
    pub slot: i64,
    pub configured: &'a ConfiguredMeter,
    pub watch: &'a mut Watch,
    pub options: &'a Options,
    pub present: &'a Present,
    pub keeper: &'a mut K,
    pub events: &'a mut Vec<(Option<usize>, Event<K::Error>)>,
}

impl<K: Keeper> Taking<'_, K> {
    pub fn take(&mut self, done: Done) {
        let before = self.watch.memory;
        match done {
            Done::Read { telegram, heard } => {
                self.count(heard);
                match telegram {
                    Ok(telegram) => self.measured(*telegram),
                    Err(error) => self.not_read(error),
                }
            }
            Done::Unlock(Ok(unlocked)) => self.unlocked(&unlocked),
            Done::Unlock(Err(why)) => self.not_unlocked(why),
            Done::Press(Ok(())) => self.watch.last_press = Some(self.present.now()),
            Done::Press(Err(why)) => {
                self.watch.last_press = None;
                self.tell(Event::NotUnlocked(why));
            }
            Done::Reset(result) => self.tell(Event::Reset(result)),
            Done::Crashed => self.failed(MeasureError::Crashed),
        }
        self.remember(before);
    }

    /// The slot has a measurement of another process, or of this one's life before: whatever kept
    /// this one from reading, the port works.
    pub fn measured_elsewhere(&mut self) {
        let before = self.watch.memory;
        self.watch.measured = Some(self.slot);
        self.watch.worked();
        if self.memory().port != Failing::default() {
            self.port_works();
        }
        self.tell(Event::AlreadyMeasured);
        self.remember(before);
    }

    fn remember(&mut self, before: Option<Memory>) {
        if let Some(memory) = self.watch.memory.filter(|memory| before != Some(*memory)) {
            let kept = self.keeper.remember(self.configured.uuid, &memory);
            self.tell_if_not_kept(kept);
        }
    }

    fn tell(&mut self, event: Event<K::Error>) {
        self.events.push((Some(self.meter), event));
    }

    fn tell_if_not_kept(&mut self, kept: Result<(), K::Error>) {
        if let Err(error) = kept {
            self.tell(Event::NotKept(error));
        }
    }

    fn memory(&mut self) -> &mut Memory {
        self.watch.memory.get_or_insert_default()
    }

    pub fn failed(&mut self, error: MeasureError<K::Error>) {
        self.watch.failed(self.present.now(), self.options);
        self.tell(Event::Failed(error));
    }

    fn count(&mut self, heard: Heard) {
        if heard != Heard::default() {
            self.keeper.note_telegrams(self.configured.uuid, heard);
        }
        match self.watch.damage.count(heard) {
            Some(Verdict::High(percent)) => self.tell(Event::ManyDamaged(percent)),
            Some(Verdict::Low) => self.tell(Event::FewDamaged),
            None => {}
        }
    }

    /// The time, where it is known.
    fn second(&self) -> Option<i64> {
        self.present.knows_the_time().then(|| self.present.moment.at.as_second())
    }

    fn port_works(&mut self) {
        let last = self.watch.silent_at.take();
        let failures = self.memory().port.failures(last);
        self.memory().port.worked();
        self.note(IncidentType::SerialPortUnavailable, false, failures);
    }

    fn codes_are_there(&mut self) {
        let failures = self.memory().codes.failures(None);
        self.memory().codes.worked();
        self.note(IncidentType::ObisCodesUnavailable, false, failures);
    }

    fn note(&mut self, kind: IncidentType, is_present: bool, failures: Failures) {
        if !self.watch.note(kind, is_present) {
            return;
        }
        let at = self.present.moment.at;
        let kept = self.keeper.note_incident(self.configured.uuid, kind, is_present, at, failures);
        match kept {
            Ok(true) => self.tell(Event::Incident(kind, is_present)),
            Ok(false) => {}
            Err(error) => {
                self.watch.noted = Default::default();
                self.tell(Event::NotKept(error));
            }
        }
    }

    fn not_read(&mut self, error: ReadError) {
        let (slot, most) = (self.slot, self.options.incident_after.max(1));
        let second = self.second();
        self.watch.silent_at = second.or(self.watch.silent_at);
        let port = &mut self.memory().port;
        port.failed(slot, second);
        let port = *port;
        if port.slots >= most {
            self.note(IncidentType::SerialPortUnavailable, true, port.failures(second));
        }
        // Nothing can be reset that is not there.
        let gone = matches!(error, ReadError::Port(crate::port::PortError::NotFound { .. }));
        self.failed(MeasureError::Read(error));
        self.watch.wants_reset &= !gone;
    }

    /// Tells once of a maker that the configured model is not of.
    fn look_at_maker(&mut self, maker: Option<&str>) {
        let own = self.configured.model().and_then(|model| model.flag);
        let (Some(maker), Some(own)) = (maker, own) else { return };
        let is_other = !own.eq_ignore_ascii_case(maker);
        let other = is_other.then(|| maker.to_owned());
        if self.watch.other_maker != other {
            self.watch.other_maker.clone_from(&other);
            if let Some(maker) = other {
                self.tell(Event::OtherMaker(maker));
            }
        }
    }

    fn measured(&mut self, telegram: Telegram) {
        self.port_works();
        let Telegram { readout, at, late } = telegram;
        let mut is_other = false;
        if let Some(id) = readout.server_id.clone() {
            match self.keeper.shows_another_meter(self.configured.uuid, &id) {
                Ok(another) => self.watch.another_meter = another,
                Err(error) => return self.failed(MeasureError::Keep(error)),
            }
            let known = self.watch.server_id.replace(id.clone());
            is_other = known.is_some_and(|known| known != id);
            if is_other {
                self.memory().registers = KnownRegisters::default();
                self.tell(Event::OtherMeter);
            }
        }
        self.look_at_maker(readout.manufacturer.as_deref());
        self.look_at_lock(self.configured.lock(&readout), at);
        let pinned = self.configured.pinned();
        let last = match self.keeper.last_reading(self.configured.uuid) {
            Ok(last) => last,
            Err(error) => return self.failed(MeasureError::Keep(error)),
        };
        // This process may be the first that reads the meter since its last reading.
        let stored = last.as_ref().filter(|_| !is_other);
        let stored = stored.map_or(&[][..], |last| &last.data);
        let figures = self.memory().registers.figures_after(stored, &readout, pinned);
        let data: MeasurementData = figures.iter().map(Figure::point).collect();
        if data.is_empty() {
            return self.failed(MeasureError::NoSurveyValues);
        }
        // By the clock as it is now, should it have been set since.
        let time = match self.present.slot {
            Key::Placed(_) => self.present.moment.time_of(at.since_boot).or(Some(at.at)),
            Key::Unplaced(..) => None,
        };
        let before: Vec<_> = last.iter().chain(&self.watch.trusted).collect();
        let mut flags = plausible::flags(&data, time, &before, self.configured.max_kilowatts());
        let is_doubtful = !flags.is_empty();
        if figures.iter().any(|figure| figure.source != Source::Own) {
            flags.push(Flag::CodeSubstituted);
        }
        if self.watch.another_meter {
            flags.push(Flag::AnotherMeter);
        }
        // The meter's own time belongs to an exact instant, or it sets others wrong.
        let meter_seconds = match readout.meter_time {
            Some(MeterTime::SecIndex(seconds)) if late.is_zero() => Some(seconds),
            _ => None,
        };
        let meter = self.configured.uuid;
        let trusted = time
            .filter(|_| !is_doubtful)
            .map(|measured_at| LastReading { measured_at, data: data.clone() });
        if !late.is_zero() {
            flags.extend(Flag::of_time_bound(late));
        }
        let kept = match (time, self.present.slot) {
            (Some(time), _) => {
                // What databases keep of an instant; more would differ from what the account gives.
                let measured_at =
                    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time);
                let slot = self.options.cycle.slot(measured_at);
                let uuid = measurement_id(meter, slot);
                self.watch.measured = Some(slot.key());
                let measurement = Measurement { uuid, meter, measured_at, data, flags };
                let stored = self.keeper.store(&measurement, slot, meter_seconds);
                stored.map(|is_new| is_new.then_some(Event::Measured(measurement)))
            }
            (None, Key::Unplaced(_, part)) => {
                self.watch.measured = Some(self.present.slot.number());
                let unplaced = Unplaced { meter, at, meter_seconds, data, flags };
                let stored = self.keeper.store_unplaced(&unplaced, part);
                stored.map(|is_new| is_new.then_some(Event::MeasuredUnplaced(unplaced.data)))
            }
            (None, Key::Placed(_)) => Ok(None),
        };
        match kept {
            Ok(event) => self.tell(event.unwrap_or(Event::AlreadyMeasured)),
            Err(error) => {
                self.watch.measured = None;
                return self.failed(MeasureError::Keep(error));
            }
        }
        if trusted.is_some() {
            self.watch.trusted = trusted;
        }
        self.watch.worked();
    }

    /// What the meter holds back, and what follows from that.
    fn look_at_lock(&mut self, lock: Lock, at: Moment) {
        self.watch.lock = Some(lock);
        let slot = self.slot;
        let open = self.configured.stays_open().unwrap_or_default();
        let list_is_closed = self.watch.last_press.is_none_or(|last| at.since_boot > last + open);
        let after = self.options.unlock_after.max(1);
        if lock.holds_nothing_back() {
            let since = *self.watch.detailed_since.get_or_insert(at.since_boot);
            // The last press may have been another process's.
            let is_certain = match self.options.once {
                true => self.options.cycle.duration() > open,
                false => at.since_boot > since + open,
            };
            let memory = self.memory();
            memory.unproven &= !list_is_closed;
            memory.lasts |= memory.was_unlocked && list_is_closed && is_certain;
            return self.codes_are_there();
        }
        (self.watch.last_press, self.watch.detailed_since) = (None, None);
        let second = self.second();
        let memory = self.memory();
        memory.lasts = false;
        if memory.unproven {
            // The detail went with the list: its operator has configured InF away.
            (memory.by_pressing, memory.unproven) = (true, false);
        }
        memory.codes.failed(slot, second);
        let codes = memory.codes;
        if codes.slots >= after && !(self.configured.can_unlock() && lock == Lock::Locked) {
            self.note(IncidentType::ObisCodesUnavailable, true, codes.failures(None));
        }
    }

    fn unlocked(&mut self, unlocked: &Unlocked) {
        let behaviour = self.configured.relock();
        let memory = self.memory();
        memory.not_before = None;
        if unlocked.already {
            // It needed no PIN: whatever was believed, its detail lasts.
            (memory.per_reading, memory.by_pressing, memory.lasts) = (false, false, true);
        } else {
            memory.was_unlocked = true;
            memory.unproven = behaviour == Some(RelockBehaviour::Permanent)
                && unlocked.lasting == Lasting::Unknown;
            memory.per_reading |= behaviour == Some(RelockBehaviour::PerReading);
            memory.by_pressing |= behaviour == Some(RelockBehaviour::Permanent)
                && matches!(unlocked.lasting, Lasting::WhileOpen(_));
            self.watch.last_press = Some(self.present.now());
        }
        self.codes_are_there();
        self.tell(Event::Unlocked(unlocked.lasting));
    }

    fn not_unlocked(&mut self, why: NotUnlocked) {
        let now = self.present.moment.at.as_second();
        self.watch.last_press = None;
        let longest = TRY_AGAIN.as_secs().cast_signed();
        let (after, is_final) = match &why {
            NotUnlocked::Failed(UnlockError::Refused(Refused::Resting { left })) => {
                (i64::try_from(left.as_secs()).unwrap_or(longest).saturating_add(1), false)
            }
            NotUnlocked::Failed(UnlockError::Interrupted { .. }) => (LINE_AGAIN, false),
            NotUnlocked::Failed(
                UnlockError::Port(_) | UnlockError::Press(_) | UnlockError::NoTelegram { .. },
            ) => (LINE_AGAIN, false),
            _ => (longest, true),
        };
        self.memory().not_before = Some(now.saturating_add(after.min(longest)));
        if is_final {
            let failures = self.memory().codes.failures(None);
            self.note(IncidentType::ObisCodesUnavailable, true, failures);
        }
        self.tell(Event::NotUnlocked(why));
    }
}
