//! Anonymization.
