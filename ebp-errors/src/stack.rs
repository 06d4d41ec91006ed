//! The stack of a thread: names of functions, and files where the program knows them.
//!
//! The standard library gives a stack as text alone. A crate that gives it in parts would bring a second
//! copy of what the standard library has already (readers of debug information, eight crates); the
//! text's form is checked by a test with every compiler that builds this.

use std::backtrace::Backtrace;

use serde::{Deserialize, Serialize};

use crate::origin::source_path;

/// The deepest stack that is kept, frames.
const MOST_FRAMES: usize = 64;

/// The longest name of a function that is kept, bytes.
const LONGEST: usize = 240;

/// What belongs to taking the stack and to panicking, not to the error.
const MACHINERY: [&str; 13] = [
    "std::backtrace",
    "std::panicking",
    "std::sys::backtrace",
    "std::backtrace_rs",
    "core::panicking",
    "__rustc",
    "rust_begin_unwind",
    "rust_panic",
    "ebp_errors::",
    "<ebp_errors::",
    "<alloc::boxed::Box<",
    "tracing",
    "<tracing",
];

/// A call on a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The function, such as `ebp_device::spool::Spool::pending`.
    pub function: String,
    /// The file, where the program has that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineno: Option<u32>,
    /// Whether the function is this project's.
    pub in_app: bool,
}

/// The calling thread's stack, the innermost call first, without what takes it.
#[must_use]
pub fn current_stack() -> Vec<Frame> {
    parse_stack(&Backtrace::force_capture().to_string())
}

/// The frames of a stack as the standard library writes it, the innermost first.
#[must_use]
pub fn parse_stack(text: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut is_known = false;
    for line in text.lines() {
        let line = line.trim_start();
        if let Some(place) = line.strip_prefix("at ") {
            if let (true, Some(frame)) = (is_known, frames.last_mut()) {
                (frame.filename, frame.lineno) = place_of(place);
            }
        } else if let Some((number, function)) = line.split_once(": ")
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            let function = clean(function);
            is_known = !function.is_empty();
            if is_known {
                let in_app = function.trim_start_matches('<').starts_with("ebp");
                frames.push(Frame { function, filename: None, lineno: None, in_app });
            }
        }
    }
    let is_machinery = |frame: &Frame| MACHINERY.iter().any(|own| frame.function.starts_with(own));
    let first = frames.iter().position(|frame| !is_machinery(frame)).unwrap_or(frames.len());
    frames.drain(..first);
    frames.truncate(MOST_FRAMES);
    frames
}

/// The name without the hash behind it; empty if it is not known.
fn clean(function: &str) -> String {
    let name = match function.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name
        }
        _ => function,
    };
    // What is in a name was in the sources, and has no control characters.
    if name.starts_with("<unknown>") || name.chars().any(char::is_control) {
        return String::new();
    }
    name[..name.floor_char_boundary(LONGEST.min(name.len()))].to_owned()
}

/// File and line of `path:line:column`.
fn place_of(place: &str) -> (Option<String>, Option<u32>) {
    let mut parts = place.rsplitn(3, ':');
    let (_, line, path) = (parts.next(), parts.next(), parts.next());
    let path = path.and_then(source_path);
    let line = line.and_then(|line| line.parse().ok()).filter(|_| path.is_some());
    (path, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_the_standard_library_is_known() {
        let text = "   0: std::backtrace_rs::backtrace::libunwind::trace
             at /rustc/17067e9/library/std/src/../../backtrace/src/backtrace/libunwind.rs:117:9
   1: core::panicking::panic_fmt
   2: ebp_device::spool::Spool::pending::h0123456789abcdef
             at ./ebp-device/src/spool/mod.rs:31:7
   3: <unknown>
   4: <ebp::command::Cli as core::ops::function::FnOnce<()>>::call_once
             at /home/erika/secret/main.rs:1:1
";
        let frames = parse_stack(text);
        let named: Vec<&str> = frames.iter().map(|frame| frame.function.as_str()).collect();
        assert_eq!(
            named,
            [
                "ebp_device::spool::Spool::pending",
                "<ebp::command::Cli as core::ops::function::FnOnce<()>>::call_once"
            ]
        );
        assert_eq!(frames[0].filename.as_deref(), Some("ebp-device/src/spool/mod.rs"));
        assert_eq!(frames[0].lineno, Some(31));
        assert_eq!((&frames[1].filename, frames[1].lineno), (&None, None));
        assert!(frames.iter().all(|frame| frame.in_app));
    }

    #[inline(never)]
    fn a_function_that_looks_at_itself() -> Vec<Frame> {
        // All of it: what belongs to this crate is left out otherwise.
        let text = Backtrace::force_capture().to_string().replace("ebp_errors::", "ebp_tested::");
        parse_stack(&text)
    }

    #[test]
    fn this_compiler_s_stacks_have_names() {
        let frames = a_function_that_looks_at_itself();
        let is_there = |name: &str| frames.iter().any(|frame| frame.function.contains(name));
        assert!(is_there("a_function_that_looks_at_itself"), "{frames:?}");
        assert!(is_there("this_compiler_s_stacks_have_names"), "{frames:?}");
    }

    #[test]
    fn nonsense_is_no_stack() {
        for text in ["", "at x:1:1", "1: ", "x: y", "   at :::", "99999999999999999999: a\n at b"] {
            assert!(parse_stack(text).len() <= 1, "{text}");
        }
    }
}
