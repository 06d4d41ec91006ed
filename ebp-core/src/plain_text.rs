//! Texts that people enter: one line, or several, without characters that nobody sees.
//!
//! Control characters, invisible ones and those that turn the direction of reading make a text look
//! like another one, in a list, a letter or a terminal. Both joiners (U+200C and U+200D) are part of
//! words in several scripts, and of emoji: they stay behind a character that is no Latin, Greek,
//! Cyrillic or Hebrew one. `/openapi.json` publishes the same rule as patterns.

/// The pattern (ECMA-262) of a line that may be empty.
pub const MAYBE_EMPTY_LINE: &str = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$";

/// The pattern of a line with a visible character.
pub const LINE: &str = r"^(?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$";

/// The pattern of lines, between which there are line feeds, with a visible character.
pub const LINES: &str = r"^(?:[^\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*[^\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[^\x00-\u05ff\u061c\u180e\u2000-\u206f\ufeff\ufff9-\ufffb][\u200c\u200d])*$";

/// Whether a character is a control character or invisible, wherever it is.
const fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}

/// Whether a character must not be in a line, behind that one.
fn is_refused(before: Option<char>, character: char) -> bool {
    let joins = matches!(character, '\u{200c}' | '\u{200d}')
        && before.is_some_and(|it| it > '\u{5ff}' && !is_hidden(it) && !is_space(it));
    is_hidden(character) && !joins
}

/// The first character of a line that must not be in it.
#[must_use]
pub fn find_hidden(text: &str) -> Option<char> {
    let mut before = None;
    text.chars().find(|&character| is_refused(before.replace(character), character))
}

/// The line with a space in the place of each character that must not be in it.
#[must_use]
pub fn blank_hidden(text: &str) -> String {
    let mut before = None;
    let blank = |character| match is_refused(before.replace(character), character) {
        true => ' ',
        false => character,
    };
    text.chars().map(blank).collect()
}

/// The line without each character that must not be in it.
#[must_use]
pub fn remove_hidden(text: &str) -> String {
    let mut before = None;
    text.chars().filter(|&it| !is_refused(before.replace(it), it)).collect()
}

/// The first character of lines that must not be in them; line feeds may.
#[must_use]
pub fn find_hidden_in_lines(text: &str) -> Option<char> {
    text.split('\n').find_map(find_hidden)
}

/// The spaces behind which nothing is joined.
const fn is_space(character: char) -> bool {
    matches!(character, '\u{2000}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_plain() {
        for text in [
            "",
            "Erika Mustermann",
            "Åse Ó Briain-Şahin, 3. OG",
            "שרה כהן",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}\u{200d}🔥",
        ] {
            assert_eq!(find_hidden(text), None, "{text:?}");
        }
        assert_eq!(find_hidden_in_lines("two\nlines\n"), None);
    }

    #[test]
    fn the_first_hidden_character_is_found() {
        let wrong = ('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
            .chain('\u{200b}'..='\u{200f}')
            .chain('\0'..='\x1f')
            .chain('\x7f'..='\u{9f}')
            .chain(['\u{feff}', '\u{2028}', '\u{2029}', '\u{ad}', '\u{61c}', '\u{2060}']);
        for character in wrong {
            let text = format!("Er{character}ika \u{202e}");
            assert_eq!(find_hidden(&text), Some(character), "{text:?}");
        }
        assert_eq!(find_hidden("\u{200d}क"), Some('\u{200d}'), "nothing to join");
        assert_eq!(find_hidden("क\u{200d}\u{200d}"), Some('\u{200d}'), "joined twice");
        assert_eq!(find_hidden("a\nb"), Some('\n'));
        assert_eq!(find_hidden_in_lines("a\r\nb"), Some('\r'));
        assert_eq!(find_hidden_in_lines("क\n\u{200d}b"), Some('\u{200d}'));
        assert_eq!(remove_hidden("a\u{202e}b\nक\u{200d}ष"), "abक\u{200d}ष");
        assert_eq!(blank_hidden("a\u{202e}b\nक\u{200d}ष"), "a b क\u{200d}ष");
    }
}
