//! What a profile says, in the words of an owner.
//!
//! Enters: a profile. Leaves: [`Profile::how_to_unlock`], [`Profile::relock_in_words`].
//! Absent: numbers that are not in the profile; any one meter's PIN.

use std::time::Duration;

use super::{Interval, Profile, RelockBehaviour};

impl Profile {
    /// How this model is unlocked, one sentence after the other, as a person with a torch would do
    /// it; a single sentence for models without a lock.
    #[must_use]
    pub fn how_to_unlock(&self) -> Vec<String> {
        let Some(pin) = &self.pin else {
            return vec!["This model has no lock: it sends all it knows.".to_owned()];
        };
        let press = seconds(pin.short_press.send(false));
        let mut steps = vec![
            format!(
                "Shine into the optical window for {press} ({}). {}.",
                accepted(&pin.short_press),
                times(pin.wake_presses, "the display asks for the first digit of the PIN")
            ),
            format!(
                "Enter each of the {} digits by as many presses; a digit 0 needs none.",
                pin.digits
            ),
            format!(
                "Wait {} after each digit ({}): the meter then asks for the next one.",
                seconds(pin.next_digit.send(false)),
                accepted(&pin.next_digit)
            ),
        ];
        if let Some(menu) = &pin.menu {
            steps.push(format!(
                "{}, then shine for {}: the extended data (InF) is on.",
                times(menu.inf_presses, "the display shows InF"),
                seconds(pin.long_press.send(false))
            ));
        }
        steps.push(format!(
            "Without a press for {} s it returns to its normal display. After {} wrong PINs it \
             refuses further ones; ebp stops after {}.",
            pin.return_to_normal_s, pin.tries, pin.stop_at
        ));
        steps.extend(self.relock_in_words().map(str::to_owned));
        steps
    }

    /// How long it stays unlocked; nothing for models without a lock.
    #[must_use]
    pub fn relock_in_words(&self) -> Option<&'static str> {
        Some(match self.relock.as_ref()?.behaviour {
            RelockBehaviour::Permanent => "Once InF is on, it stays on until a power failure.",
            RelockBehaviour::KeepAlive => "It stays unlocked as long as a press comes in time.",
            RelockBehaviour::PerReading => "It needs the PIN before each reading.",
        })
    }
}

fn times(presses: u8, result: &str) -> String {
    match presses {
        0 => format!("Without a further press {result}"),
        1 => format!("After one short press {result}"),
        n => format!("After {n} short presses {result}"),
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
        Enter each of the 4 digits by as many presses; a digit 0 needs none.
        Wait 3.8 s after each digit (3 to 5.9 s will do): the meter then asks for the next one.
        After 8 short presses the display shows InF, then shine for 5.5 s: the extended data (InF) is on.
        Without a press for 120 s it returns to its normal display. After 3 wrong PINs it refuses further ones; ebp stops after 2.
        Once InF is on, it stays on until a power failure.
        ");
        let none = profiles.get("MT174").unwrap();
        assert_eq!(none.how_to_unlock(), ["This model has no lock: it sends all it knows."]);
        assert_eq!(none.relock_in_words(), None);
    }
}
