//! The chosen entries of a readout, by their index.

use ebp_core::obis::ObisCode;

/// Where in [`ObisCode::SURVEY`] each quantity stands.
pub(super) const IMPORT: usize = 0;
pub(super) const EXPORT: usize = 1;
pub(super) const POSITIVE: usize = 2;
pub(super) const NEGATIVE: usize = 3;
pub(super) const SUM: usize = 4;

/// For each quantity of [`ObisCode::SURVEY`], in its order, which entries of a readout count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices(pub(super) [Option<Choice>; ObisCode::SURVEY.len()]);

/// Which entries count for a quantity, by their index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// The one under the quantity's own code.
    Own(usize),
    /// One under another code.
    Other(usize),
    /// Several together. Few meters need it; held apart, it leaves the choices of all others small.
    Sum(Box<Sum>),
}

/// The entries whose sum counts, less the sum of others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub plus: Vec<usize>,
    pub minus: Vec<usize>,
}
