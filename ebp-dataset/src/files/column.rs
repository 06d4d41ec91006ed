//! Tables and columns as they are declared: everything that a file or its metadata says of a column
//! comes from here.

use serde::{Deserialize, Serialize};

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bit floating point: gives every decimal of up to 15 digits back.
    Double,
    /// 32 bit floating point.
    Float,
    /// Signed, 8 bit.
    Int8,
    /// Unsigned, 16 bit.
    UInt16,
    /// Signed, 32 bit.
    Int32,
    /// Microseconds since the Unix epoch, UTC.
    Instant,
    /// A day of the survey's calendar.
    Date,
    /// Yes or no.
    Bool,
}

/// How Parquet stores a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Each different value once.
    Dictionary,
    /// Differences to the value before.
    Delta,
    /// The bytes of all values by their places.
    Split,
}

/// How far a table or column may leave the research group. The order is from narrow to wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Never: for the research group alone.
    Internal,
    /// To named recipients under contract.
    Research,
    /// To everybody.
    Public,
}

impl Tier {
    /// The name in metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Research => "research",
            Self::Public => "public",
        }
    }
}

impl Tier {
    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Internal, Self::Research, Self::Public].into_iter().find(|it| it.name() == name)
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The unit of its values, if they have one.
    pub unit: Option<&'static str>,
    /// What it means, in a sentence.
    pub description: &'static str,
    /// The widest tier in which it may leave.
    pub tier: Tier,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// How Parquet stores it.
    pub encoding: Encoding,
    /// The words it may hold, if it holds nothing else.
    pub words: &'static [&'static str],
}

impl Column {
    /// A column that is never empty and never leaves.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            kind,
            unit: None,
            description,
            tier: Tier::Internal,
            nullable: false,
            encoding: Encoding::Dictionary,
            words: &[],
        }
    }

    /// An energy that may be missing, kWh.
    #[must_use]
    pub const fn energy(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Double, description).unit("kWh").optional()
    }

    /// With a unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// A value may be missing.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// It may leave so far.
    #[must_use]
    pub const fn up_to(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Parquet stores it so.
    #[must_use]
    pub const fn stored(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// It holds one of these words.
    #[must_use]
    pub const fn one_of(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name, which is that of its file or folder.
    pub name: &'static str,
    /// What a row is.
    pub description: &'static str,
    /// The columns, in their order.
    pub columns: &'static [Column],
    /// The columns that no two rows agree in; the rows are sorted by `order`.
    pub key: &'static [&'static str],
    /// By what the rows are sorted.
    pub order: &'static [&'static str],
    /// The columns that name a row of another table: column, table, its column.
    pub references: &'static [(&'static str, &'static str, &'static str)],
    /// Whether it is a folder with a file for each month (UTC).
    pub by_month: bool,
    /// The widest tier in which rows of it may leave.
    pub tier: Tier,
    /// How long a row lasts (ISO 8601), for a series.
    pub step: Option<&'static str>,
}

impl Table {
    /// The place of a column.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The places of the columns of its key.
    pub fn key_places(&self) -> impl Iterator<Item = usize> {
        self.key.iter().filter_map(|name| self.place(name))
    }
}
