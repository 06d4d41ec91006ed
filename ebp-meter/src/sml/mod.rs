//! Smart Message Language.
