//! The commented example of the configuration file.

/// A commented example that says what the defaults are.
pub const EXAMPLE: &str = include_str!("../server.example.toml");
