//! Explains a profile to a meter's owner.
//!
//! Enters: a profile. Leaves: [`Profile::how_to_unlock`], [`Profile::relock_in_words`].
//! Absent: numbers that are not in the profile; any one meter's PIN.

use std::time::Duration;

use super::{Blocking, Interval, LockKind, Pin, Profile, RelockBehaviour, Wake};

impl Profile {
    /// How this model is unlocked, one sentence after the other, as a person with a torch would do
    /// it; a single sentence for models without a lock.
    #[must_use]
    pub fn how_to_unlock(&self) -> Vec<String> {
        let Some(pin) = &self.pin else {
            return vec![self.without_pin().to_owned()];
        };
        let mut steps = vec![
            wake(pin),
            format!(
                "Enter each of the {} digits with that many presses; a digit 0 needs none.",
                pin.digits
            ),
            format!(
                "Wait {} after each digit ({}): the meter then asks for the next one.",
                seconds(pin.next_digit.send(false)),
                accepted(&pin.next_digit)
            ),
        ];
        steps.extend(pin.period_to_ms.map(|longest| {
            format!(
                "Units differ: they confirm a digit after {} to {} s. If a PIN with a zero fails, use \
                 the meter's button, or measure the pause with `ebp unlock --calibrate`.",
                f64::from(pin.next_digit.accept_ms[0]) / 1000.0,
                f64::from(longest) / 1000.0
            )
        }));
        steps.push(match pin.sourced_inf_presses() {
            Some(presses) => format!(
                "{}, then hold the light for {}: the extended data (InF) is on.",
                times(presses, "the display shows InF"),
                seconds(pin.long_press.send(false))
            ),
            None => format!(
                "No source says where InF is in the menu after the PIN, and it may be missing: \
                 step to it with short presses, and hold the light for {} only while the display shows InF. \
                 `ebp unlock --step` guides you.",
                seconds(pin.long_press.send(false))
            ),
        });
        steps.push(format!(
            "Without a press for {} s it returns to its normal display. {}",
            pin.return_to_normal_s,
            pin.tries_in_words()
        ));
        steps.extend(self.relock_in_words().map(str::to_owned));
        steps
    }

    fn without_pin(&self) -> &'static str {
        match self.lock.as_ref().map(|lock| lock.kind) {
            None | Some(LockKind::None) => "This model has no lock: it always sends every value.",
            Some(LockKind::PinOfUnknownTiming) => {
                "This model has a PIN, and no source says how it is entered by light: \
                 `ebp unlock --calibrate` measures it with your help."
            }
            Some(LockKind::Operator) => {
                "The operator has switched this model's details off: no PIN shows them."
            }
        }
    }

    /// How long it stays unlocked; nothing for models without a lock.
    #[must_use]
    pub fn relock_in_words(&self) -> Option<&'static str> {
        let behaviour = self.relock.as_ref()?.behaviour;
        Some(match (behaviour, self.keeps_unlocked()?) {
            (_, RelockBehaviour::Permanent) => {
                "Once InF is on, it stays on until a power failure, if the operator has left it in the menu."
            }
            (RelockBehaviour::Permanent, _) => {
                "It stays unlocked as long as a press comes in time; if the menu has InF and that is on, \
                 probably until a power failure (assumed)."
            }
            (RelockBehaviour::KeepAlive, _) => {
                "It stays unlocked as long as a press comes in time."
            }
            (RelockBehaviour::PerReading, _) => "It needs the PIN before each reading.",
        })
    }
}

impl Pin {
    /// What wrong PINs do.
    #[must_use]
    pub fn tries_in_words(&self) -> String {
        let (tries, stop) = (self.tries, self.stop_at);
        match self.blocks {
            Blocking::Never => format!("Wrong PINs block nothing; ebp stops a run after {stop}."),
            Blocking::Yes => format!(
                "After some wrong PINs it refuses further ones for a time; {tries} is assumed, ebp stops \
                 after {stop}."
            ),
            Blocking::Unknown if self.tries_are_assumed() => format!(
                "No source says whether wrong PINs block it; {tries} are assumed to, and ebp stops after {stop}."
            ),
            Blocking::Unknown => {
                format!("After {tries} wrong PINs it refuses further ones; ebp stops after {stop}.")
            }
        }
    }
}

fn wake(pin: &Pin) -> String {
    let (press, kind) = match pin.wake {
        Wake::Short => (&pin.short_press, "short"),
        Wake::Long => (&pin.long_press, "long"),
    };
    let mut text = format!(
        "Shine into the optical window for {} ({}). {}.",
        seconds(press.send(false)),
        accepted(press),
        presses(pin.wake_presses, kind, "the display asks for the first digit of the PIN")
    );
    if pin.display_test_ms > 0 {
        text += &format!(
            " A display test comes first: wait {} for its end.",
            seconds(pin.after_wake.send(false))
        );
    }
    text
}

fn times(count: u8, result: &str) -> String {
    presses(count, "short", result)
}

fn presses(count: u8, kind: &str, result: &str) -> String {
    match count {
        0 => format!("Without a further press {result}"),
        1 => format!("After one {kind} press {result}"),
        n => format!("After {n} {kind} presses {result}"),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn accepted(interval: &Interval) -> String {
    let [shortest, longest] = interval.accept_ms.map(|ms| f64::from(ms) / 1000.0);
    format!("{shortest} to {longest} s will do")
}

#[cfg(test)]
mod tests {
    use super::super::Profiles;

    #[test]
    fn a_locked_model_is_explained_and_one_without_lock_is_not() {
        let profiles = Profiles::embedded();
        let words = profiles.get("MT175").unwrap().how_to_unlock().join("\n");
        insta::assert_snapshot!(words, @r"
        Shine into the optical window for 0.4 s (0.1 to 2 s will do). After 2 short presses the display asks for the first digit of the PIN.
        Enter each of the 4 digits with that many presses; a digit 0 needs none.
        Wait 3.8 s after each digit (3 to 5.9 s will do): the meter then asks for the next one.
        No source says where InF is in the menu after the PIN, and it may be missing: step to it with short presses, and hold the light for 5.5 s only while the display shows InF. `ebp unlock --step` guides you.
        Without a press for 120 s it returns to its normal display. No source says whether wrong PINs block it; 3 are assumed to, and ebp stops after 2.
        It stays unlocked as long as a press comes in time; if the menu has InF and that is on, probably until a power failure (assumed).
        ");
        let words = profiles.get("SGM-C4").unwrap().how_to_unlock().join("\n");
        assert!(words.contains("After 7 short presses the display shows InF"), "{words}");
        let words = profiles.get("Siconia").unwrap().how_to_unlock().join("\n");
        assert!(words.contains("After one long press the display asks"), "{words}");
        assert!(words.contains("Wrong PINs block nothing"), "{words}");
        let none = profiles.get("MT174").unwrap();
        assert_eq!(none.how_to_unlock(), ["This model has no lock: it always sends every value."]);
        assert_eq!(none.relock_in_words(), None);
    }
}
