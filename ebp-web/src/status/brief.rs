//! Instants in tables: few characters for people, UTC for programs.

use jiff::Timestamp;

use crate::kit::{frame::Frame, language::Language};

/// A `<time>` element: the time alone on the day itself, the year in other years alone. A table has
/// hundreds of them, so that UTC is in `datetime` alone.
#[must_use]
pub fn brief(frame: &Frame, at: Timestamp) -> String {
    let utc = at.strftime("%Y-%m-%dT%H:%MZ");
    format!("<time datetime=\"{utc}\">{}</time>", brief_text(frame, at))
}

/// The same without the element.
#[must_use]
pub fn brief_text(frame: &Frame, at: Timestamp) -> String {
    let (day, today) = (frame.moments.day_of(at), frame.moments.day_of(frame.now));
    if day == today {
        return frame.moments.time(at);
    }
    let short = frame.moments.short_day(day);
    match (day.year() == today.year(), frame.language()) {
        (true, _) => format!("{short} {}", frame.moments.time(at)),
        (false, Language::De) => format!("{short}{}", day.year()),
        (false, Language::En) => format!("{short} {}", day.year()),
    }
}

/// The first eight digits of an identifier, which tell two apart in a table.
#[must_use]
pub fn short(uuid: uuid::Uuid) -> String {
    uuid.simple().to_string().chars().take(8).collect()
}
