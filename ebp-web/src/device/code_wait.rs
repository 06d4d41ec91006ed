//! What people are told who entered too many wrong codes.

use super::visitor::Visitor;

/// Until when no code is looked at.
pub fn wait_text(visitor: &Visitor, seconds: u64) -> String {
    let language = visitor.language();
    if seconds < 60 {
        return language.say_with("code-wait-seconds", [("count", seconds.into())]);
    }
    // Rounded up to the next minute: at that time it is over for sure.
    let wait = i64::try_from(seconds).unwrap_or(900) + 59;
    let at = visitor.now.checked_add(jiff::SignedDuration::from_secs(wait)).unwrap_or(visitor.now);
    language.say_with("code-wait-until", [("time", visitor.moments().time(at).into())])
}
