//! The main loop of a virtual meter: sends telegrams at their times, at the line's speed.
//!
//! Enters: a meter or a recording, a wish to stop. Leaves: bytes on a pseudoterminal.
//! Absent: threads (the caller gives one), signals, output.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{
    meter::{VirtualMeter, VirtualMeterError},
    noise::{Noise, NoiseOptions, NoiseOptionsError},
    pty::{Pty, PtyError},
    replay::{Replay, Rhythm},
    request::answer_speed,
};

/// The longest sleep before the loop checks whether to stop.
const NAP: Duration = Duration::from_millis(40);

/// Bytes go out in pieces of this length: short enough to look like a line, long enough to let a
/// processor sleep.
const PIECE: Duration = Duration::from_millis(20);

/// Bytes unread for this long after a telegram are discarded: there is no reader.
const STALE: Duration = Duration::from_millis(250);

/// So much of an unbroken stream may lie unread.
const SLOW: Duration = Duration::from_secs(2);

/// How long a meter waits for the acknowledgement of the speed that it offers; without one it goes on
/// at the speed at which it was asked (IEC 62056-21 grants the reader 1.5 s).
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_millis(1_500);

/// From the acknowledgement to the answer: time for the reader to change its speed (IEC 62056-21,
/// 200 ms at least).
const REACTION: Duration = Duration::from_millis(200);

/// A byte on the line: start bit, eight bits (or seven and parity), stop bit.
const BITS_PER_BYTE: u32 = 10;

/// Where telegrams come from.
pub enum Source {
    /// A meter that makes them.
    Meter(Box<VirtualMeter>),
    /// A recording.
    Replay(Replay),
}

/// How fast time runs in a virtual meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempo {
    /// Simulated seconds in a second. Registers grow that much faster; line and telegrams do not.
    pub factor: u32,
    /// From one telegram to the next, where it shall not be the model's own.
    pub push_interval: Option<Duration>,
}

impl Default for Tempo {
    fn default() -> Self {
        Self { factor: 1, push_interval: None }
    }
}

/// Why a virtual meter ended before it was stopped.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// Its pseudoterminal.
    #[error(transparent)]
    Pty(#[from] PtyError),
    /// The meter.
    #[error(transparent)]
    Meter(#[from] VirtualMeterError),
    /// The noise asked for.
    #[error(transparent)]
    Noise(#[from] NoiseOptionsError),
}

/// Opens a pseudoterminal and sends telegrams on it until stopped, or until a recording that is not
/// looped has been played. `on_ready` gets the path that readers open, before the first telegram.
///
/// Ends within a tenth of a second of `stop`. The source is only lent: a meter's state can be saved
/// afterwards.
///
/// # Errors
/// Returns [`SimulateError`] if the pseudoterminal or the meter's file fails. Nothing that a reader
/// does causes an error.
pub fn run(
    source: &mut Source,
    link: Option<&Path>,
    noise: Option<NoiseOptions>,
    tempo: Tempo,
    stop: &AtomicBool,
    on_ready: impl FnOnce(&Path),
) -> Result<(), SimulateError> {
    let noise = noise.map(Noise::new).transpose()?;
    let pty = Pty::open(link)?;
    on_ready(pty.path());
    let started = Instant::now();
    let mut line = Line { pty, noise, stop, started, sent: 0, silent_since: Duration::ZERO };
    match source {
        Source::Meter(meter) => live(meter, tempo, &mut line),
        Source::Replay(replay) => play(replay, tempo, &mut line),
    }
}

/// A meter's life.
fn live(meter: &mut VirtualMeter, tempo: Tempo, line: &mut Line) -> Result<(), SimulateError> {
    let own = &meter.profile().line;
    let Some(interval) = tempo.push_interval.or_else(|| own.push_interval()) else {
        return answer(meter, tempo, line);
    };
    let baud = own.baud;
    let interval = interval.max(Duration::from_millis(1));
    let mut due = 0;
    while !line.stopped() {
        let telegram = meter.telegram()?;
        line.send(&telegram, baud, meter)?;
        // The next time on the grid that has not passed: a telegram longer than the interval, or a
        // machine that slept, leaves some out. Simulated time stays on the grid and so does not drift.
        let passed = grid(line.started.elapsed(), interval);
        let next = (due + 1).max(passed + 1);
        line.wait(interval.saturating_mul(clip(next)), meter)?;
        if line.stopped() {
            // Its registers stay as the last telegram had them.
            break;
        }
        meter.advance(times(interval, next - due, tempo.factor));
        due = next;
    }
    Ok(())
}

/// The life of a meter that waits for requests.
fn answer(meter: &mut VirtualMeter, tempo: Tempo, line: &mut Line) -> Result<(), SimulateError> {
    let (first, offered) = (meter.profile().line.baud, meter.profile().line.reply_baud);
    let mut told = Duration::ZERO;
    while !line.stopped() {
        line.wait(line.started.elapsed() + NAP, meter)?;
        let now = line.started.elapsed();
        meter.advance(times(now - told, 1, tempo.factor));
        told = now;
        if !meter.take_request() {
            continue;
        }
        let telegram = meter.telegram()?;
        // The identification is the first line.
        let name = telegram.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (identification, registers) = telegram.split_at(name);
        line.send(identification, first, meter)?;
        let speed = match offered {
            Some(offered) => answer_speed(first, offered, acknowledgement(meter, line)?),
            None => first,
        };
        line.send(registers, speed, meter)?;
    }
    Ok(())
}

/// The speed that the reader acknowledges in time. The meter then lets it change its own.
fn acknowledgement(
    meter: &mut VirtualMeter,
    line: &mut Line,
) -> Result<Option<u32>, SimulateError> {
    let until = line.started.elapsed() + ACKNOWLEDGED_WITHIN;
    while !line.stopped() && line.started.elapsed() < until {
        line.wait(line.started.elapsed() + PIECE, meter)?;
        if let Some(speed) = meter.take_acknowledgement() {
            line.wait(line.started.elapsed() + REACTION, meter)?;
            return Ok(Some(speed));
        }
    }
    Ok(None)
}

/// A recording's performance.
fn play(replay: &Replay, tempo: Tempo, line: &mut Line) -> Result<(), SimulateError> {
    let rhythm = tempo.push_interval.map_or(replay.rhythm, Rhythm::Every);
    let mut due = Duration::ZERO;
    loop {
        for burst in replay.bursts() {
            line.wait(due, &mut Deaf)?;
            if line.stopped() {
                return Ok(());
            }
            let from = line.started.elapsed();
            line.send(burst, replay.baud, &mut Deaf)?;
            due = match rhythm {
                // Without gaps, counted by bytes so that nothing adds up.
                Rhythm::Continuous => due + on_the_line(burst.len(), replay.baud),
                Rhythm::Every(interval) => (due + interval).max(from),
            };
        }
        if !replay.looped {
            line.wait(due, &mut Deaf)?;
            return Ok(());
        }
    }
}

/// Receives light while a line is sending.
trait Hear {
    /// What came, or nothing in this time; sends the echo of the head's own light.
    fn hear(&mut self, at: Duration, bytes: &[u8]) -> Vec<u8>;
}

impl Hear for VirtualMeter {
    fn hear(&mut self, at: Duration, bytes: &[u8]) -> Vec<u8> {
        self.light(at, bytes);
        self.take_echo()
    }
}

struct Deaf;

impl Hear for Deaf {
    fn hear(&mut self, _: Duration, _: &[u8]) -> Vec<u8> {
        Vec::new()
    }
}

/// The line toward the readers.
struct Line<'a> {
    pty: Pty,
    noise: Option<Noise>,
    stop: &'a AtomicBool,
    started: Instant,
    /// The length of the telegram before.
    sent: usize,
    /// When its last byte went out.
    silent_since: Duration,
}

impl Line<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sends a telegram, with noise, at the line's speed; stops early when stopped.
    fn send(&mut self, telegram: &[u8], baud: u32, ear: &mut impl Hear) -> Result<(), PtyError> {
        let noisy = self.noise.as_mut().map(|noise| noise.apply(telegram));
        let bytes = noisy.as_deref().unwrap_or(telegram);
        let from = self.started.elapsed();
        let silent = from.saturating_sub(self.silent_since) >= STALE;
        self.pty.freshen(if silent { self.sent } else { bytes_in(SLOW, baud) })?;
        self.sent = bytes.len();
        let mut out = 0;
        for bytes in bytes.chunks(bytes_in(PIECE, baud).max(1)) {
            if self.stopped() {
                return Ok(());
            }
            // A reading head has a byte when its last bit has passed.
            out += bytes.len();
            self.wait(from + on_the_line(out, baud), ear)?;
            self.pty.send(bytes)?;
        }
        self.silent_since = self.started.elapsed();
        Ok(())
    }

    /// Waits until that time after the start, or until stopped, and passes on received bytes.
    fn wait(&self, until: Duration, ear: &mut impl Hear) -> Result<(), PtyError> {
        let mut buffer = [0; 256];
        loop {
            let left = until.saturating_sub(self.started.elapsed());
            let received = self.pty.receive(&mut buffer, left.min(NAP))?;
            let echo = ear.hear(self.started.elapsed(), &buffer[..received]);
            self.pty.send(&echo)?;
            if self.stopped() || self.started.elapsed() >= until {
                return Ok(());
            }
        }
    }
}

/// How long that many bytes take on the line.
fn on_the_line(bytes: usize, baud: u32) -> Duration {
    let bits = bytes as u64 * u64::from(BITS_PER_BYTE);
    Duration::from_nanos(bits.saturating_mul(1_000_000_000) / u64::from(baud.max(1)))
}

/// How many bytes pass the line in that time.
fn bytes_in(time: Duration, baud: u32) -> usize {
    let bits = time.as_millis() * u128::from(baud) / 1_000;
    usize::try_from(bits / u128::from(BITS_PER_BYTE)).unwrap_or(usize::MAX)
}

/// How many whole intervals have passed.
fn grid(elapsed: Duration, interval: Duration) -> u128 {
    elapsed.as_nanos() / interval.as_nanos().max(1)
}

/// `interval · count · factor`, exactly.
fn times(interval: Duration, count: u128, factor: u32) -> Duration {
    interval.saturating_mul(clip(count)).saturating_mul(factor)
}

fn clip(count: u128) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_speed_of_9600_baud_is_960_bytes_a_second() {
        assert_eq!(on_the_line(960, 9_600), Duration::from_secs(1));
        assert_eq!(on_the_line(30, 300), Duration::from_secs(1));
        assert_eq!(on_the_line(1, 0), Duration::from_secs(10));
        assert_eq!(bytes_in(PIECE, 9_600), 19);
        assert_eq!(bytes_in(SLOW, 9_600), 1_920);
        assert_eq!(bytes_in(PIECE, 300), 0);
    }

    #[test]
    fn the_grid() {
        let interval = Duration::from_millis(100);
        assert_eq!(grid(Duration::from_millis(99), interval), 0);
        assert_eq!(grid(Duration::from_millis(250), interval), 2);
        assert_eq!(times(interval, 3, 900), Duration::from_secs(270));
    }
}
