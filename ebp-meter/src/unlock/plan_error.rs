//! Why there is no plan for a profile or a PIN.

use crate::profile::{LockKind, Profile};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The model has no lock.
    #[error("{model} has no PIN: it always sends every value")]
    NoLock {
        /// Which model.
        model: String,
    },
    /// The model has a PIN, and no source says how it is entered.
    #[error("how the PIN of {model} is entered by light is not known")]
    UnknownTiming {
        /// Which model.
        model: String,
    },
    /// The model's detailed values are switched off by its operator.
    #[error("no PIN shows the details of {model}: its operator has switched them off")]
    OperatorOff {
        /// Which model.
        model: String,
    },
    /// The PIN has another number of digits.
    #[error("the PIN of {model} has {expected} digits, the given one has {given}")]
    WrongLength {
        /// Which model.
        model: String,
        /// The number of digits it has.
        expected: usize,
        /// The number given.
        given: usize,
    },
    /// The way to `InF` is not known from any source.
    #[error("no source names the way to InF in the menu of {model}")]
    NoMenu {
        /// Which model.
        model: String,
    },
}

impl PlanError {
    /// Why there is no plan for a model without `[pin]`.
    #[must_use]
    pub fn without_pin(profile: &Profile) -> Self {
        let model = profile.name.clone();
        match profile.lock.as_ref().map(|lock| lock.kind) {
            None | Some(LockKind::None) => Self::NoLock { model },
            Some(LockKind::PinOfUnknownTiming) => Self::UnknownTiming { model },
            Some(LockKind::Operator) => Self::OperatorOff { model },
        }
    }
}
