//! `ebp`.
fn main() {}
