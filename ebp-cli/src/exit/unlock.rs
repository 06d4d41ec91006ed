//! Remedies for the errors of unlocking.
//!
//! Enters: errors of profiles, PINs, light and tries. Leaves: [`Failure`]s. Absent: any PIN.

use ebp_meter::{
    profile::{ProfileError, UnknownModel},
    unlock::{CalibrateError, PinError, PlanError, PressError, Refused, TriesError, UnlockError},
};

use super::{Code, Failure, chain};

/// The most useful thing to check when no light came back as telegrams.
const HEAD: &str =
    "check that the reading head sits on the meter's optical port with its cable downwards";

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Self::usage(chain(&error))
    }
}

impl From<UnknownModel> for Failure {
    fn from(error: UnknownModel) -> Self {
        if !error.near.is_empty() {
            return Self::usage(error);
        }
        Self::usage(error).remedy("`ebp meter list` shows the models that are known")
    }
}

impl From<PinError> for Failure {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Empty | PinError::NotDigits | PinError::TooLong => Self::usage(error),
            PinError::Exposed(_) | PinError::Unreadable { .. } => {
                Self::caused_by(Code::Failed, &error)
            }
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let remedy = match error {
            PlanError::NoLock { .. } => "read it with `ebp read`",
            PlanError::WrongLength { .. } => {
                "the PIN is in the letter of the metering point operator"
            }
            PlanError::NoMenu { .. } => "`ebp unlock --step` finds it together with you",
            PlanError::UnknownTiming { .. } => {
                "`ebp unlock --calibrate` measures it together with you; or enter the PIN with a torch"
            }
            PlanError::OperatorOff { .. } => "ask the metering point operator to switch them on",
        };
        Self::usage(error).remedy(remedy)
    }
}

impl From<TriesError> for Failure {
    fn from(error: TriesError) -> Self {
        let remedy = match error {
            TriesError::Damaged { .. } => {
                "nothing is tried then; `ebp unlock --reset-tries` without a port begins it anew"
            }
            TriesError::Io { .. } => "nothing is tried then; name a folder of yours with --state",
        };
        Self::caused_by(Code::Failed, &error).remedy(remedy)
    }
}

impl From<PressError> for Failure {
    fn from(error: PressError) -> Self {
        match error {
            PressError::Port(error) => error.into(),
            error @ PressError::NoBreak { .. } => {
                Self::failed(error).remedy("shine with --method zero-bytes")
            }
            error => Self::caused_by(Code::Failed, &error),
        }
    }
}

impl From<UnlockError> for Failure {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Plan(error) => error.into(),
            UnlockError::Tries(error) => error.into(),
            UnlockError::Press(error) => error.into(),
            UnlockError::Port(error) => error.into(),
            UnlockError::Refused(error @ Refused::TriesExhausted { .. }) => Self::failed(error),
            UnlockError::Refused(error @ Refused::Resting { .. }) => {
                Self::failed(error).remedy("try again then")
            }
            UnlockError::NoTelegram { .. } => Self::new(Code::NothingRead, error).remedy(HEAD),
            UnlockError::NotUnlocked { left: 0, .. } => Self::failed(error).remedy(
                "nothing more is tried, so that the meter does not block itself; compare the PIN with \
                 the operator's letter and the model with the meter's face",
            ),
            UnlockError::NotUnlocked { left, .. } => Self::failed(error).remedy(format!(
                "compare the PIN with the operator's letter and the model with the meter's face; \
                 {left} more {} before ebp stops",
                if left == 1 { "try" } else { "tries" }
            )),
            UnlockError::OperatorOff => Self::failed(error).remedy(
                "ask your metering point operator to switch on the extended data set of the optical \
                 port (InF), so that the meter sends its power; the PIN needs no further try",
            ),
            UnlockError::Interrupted { rest } if rest.is_zero() => {
                Self::failed("stopped before any light: the meter is as it was")
            }
            UnlockError::Interrupted { rest } => Self::failed("stopped in the midst, the light is off")
                .remedy(format!(
                    "leave the meter alone for {} s, until it is back at its normal display; the next \
                     try waits for that by itself",
                    rest.as_secs()
                )),
        }
    }
}

impl From<CalibrateError> for Failure {
    fn from(error: CalibrateError) -> Self {
        match error {
            CalibrateError::Press(error) => error.into(),
            CalibrateError::Tries(error) => error.into(),
            CalibrateError::Profile(error) => error.into(),
            CalibrateError::Quit(_)
            | CalibrateError::NoTryLeft
            | CalibrateError::NoReaction
            | CalibrateError::NoPinEntry { .. }
            | CalibrateError::Period(_)
            | CalibrateError::NoInf => Self::failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebp_meter::lock::Lock;

    use super::*;

    #[test]
    fn codes_and_remedies() {
        let nothing = UnlockError::NoTelegram { waited: Duration::from_secs(30) };
        assert_eq!(Failure::from(nothing).code, Code::NothingRead);
        let stopped = Failure::from(UnlockError::Interrupted { rest: Duration::from_secs(130) });
        assert!(stopped.to_string().contains("130 s"), "{stopped}");
        for left in [0, 1, 2] {
            let failure =
                Failure::from(UnlockError::NotUnlocked { tries: 2, left, lock: Lock::Locked });
            assert_eq!(failure.code, Code::Failed);
            assert!(failure.remedy.is_some(), "{failure}");
        }
    }
}
