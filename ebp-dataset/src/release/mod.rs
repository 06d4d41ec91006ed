//! The rules by which a data set may leave the research group, each with its check.
//!
//! Enters: households' attributes as they are stored, the months of their series, energies, random
//! numbers from the caller. Leaves: classes, months, days to withhold, aggregates, and a
//! [`Check`] for every rule. Absent: files, databases, the source of randomness, who a recipient is.
//!
//! A rule is made in one function and checked in another, which looks at the result alone: a rule that
//! is not applied is found by its check. Why these rules: `docs/decisions/release.md`.

mod aggregate;
mod anonymity;
mod attack;
mod check;
mod class;
mod class_check;
mod diversity;
mod ids;
mod numbers;
mod population;
mod round;
mod search;
mod slot;
mod window;
mod withhold;

pub use aggregate::{
    Distribution, LEAST_GROUP, MEAN_STEPS, QUARTILE_STEPS, QUARTILES_FROM, check_aggregates,
    check_differences, publishable, summarize,
};
pub use anonymity::{Classified, Demands, check_anonymity, check_pairs, coarsen};
pub use attack::{Share, find_nearest, unique_share, wilson};
pub use check::{Check, Counts, Rule};
pub use class::{Answers, Detail, Profile, Shown, SystemFacts};
pub use class_check::check_classes;
pub use diversity::check_diversity;
pub use ids::{check_order, permutation, rank_correlation};
pub use numbers::Numbers;
pub use population::{LEAST_SYSTEMS, Register, RegisterError, check_population};
pub use round::{STEP, round_down, round_energy};
pub use search::{Finder, Needle};
pub use slot::{GroupRow, LEAST_MORE, Member, Quantity, check_slot, publish_slot};
pub use window::{Months, assign_windows, check_windows, months_within};
pub use withhold::{check_withheld, withheld_days};

/// Households that a research file has at least.
pub const LEAST_RESEARCH: usize = 30;

/// Households from which public aggregates may have regions.
pub const LEAST_REGIONAL: usize = 50;
