//! What a check found.

/// Findings of one file that are kept; a file of which nothing is right has as many as rows.
const MOST: usize = 20;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, as a path within the folder.
    pub file: String,
    /// The row, from 1 without the header; nothing where the file as a whole is meant.
    pub row: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.row {
            Some(row) => write!(f, "{}, row {row}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// What was checked, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Files whose rows were read.
    pub files: usize,
    /// Rows that were read.
    pub rows: u64,
    /// What is wrong; nothing is where this is empty.
    pub findings: Vec<Finding>,
}

impl Verdict {
    pub(super) fn add(&mut self, file: &str, row: Option<u64>, what: impl Into<String>) {
        let of_file = self.findings.iter().rev().take_while(|finding| finding.file == file);
        if of_file.count() < MOST {
            self.findings.push(Finding { file: file.to_owned(), row, what: what.into() });
        }
    }
}
