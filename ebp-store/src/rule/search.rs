//! What is searched for among households, the same in both databases: how a text is compared without
//! regard to case, and with `%` and `_` as themselves.

use uuid::Uuid;

/// The characters of a search, at most.
pub const LONGEST: usize = 200;

/// The words of a search that are compared each by itself, at most.
const MOST_WORDS: usize = 8;

/// Of a word with more letters beyond ASCII than this only the form as written, all small and all
/// great are searched for.
const MOST_VARIED: usize = 4;

/// A word that has to be in one of the fields.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// Patterns for LIKE with `\\` as escape, of which one has to fit. Databases compare letters of
    /// ASCII without regard to case; other letters stand there in each.
    pub patterns: Vec<String>,
    /// The first and the last identifier that begins with the word, if any can.
    pub identifiers: Option<(Uuid, Uuid)>,
}

/// The words of a search; what follows the last one that is a word of its own is one word, with its
/// blanks. `None` if it is too long, or has a NUL.
pub fn words(search: &str) -> Option<Vec<Word>> {
    if search.chars().take(LONGEST + 1).count() > LONGEST || search.contains('\0') {
        return None;
    }
    let (mut words, mut rest) = (Vec::new(), search.trim());
    while !rest.is_empty() {
        let end = rest.find(char::is_whitespace).filter(|_| words.len() + 1 < MOST_WORDS);
        let (next, after) = rest.split_at(end.unwrap_or(rest.len()));
        words.push(word(next));
        rest = after.trim_start();
    }
    Some(words)
}

fn word(text: &str) -> Word {
    let patterns = forms(text).into_iter().map(|form| format!("%{}%", escape(&form))).collect();
    Word { patterns, identifiers: identifiers(text) }
}

/// A text as a pattern that fits it alone.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// The text with its letters beyond ASCII small and great, in all combinations.
fn forms(text: &str) -> Vec<String> {
    let varied =
        text.chars().filter(|letter| !letter.is_ascii() && cases(*letter).len() > 1).count();
    let mut forms = if varied > MOST_VARIED {
        vec![text.to_owned(), text.to_lowercase(), text.to_uppercase()]
    } else {
        let mut forms = vec![String::new()];
        for letter in text.chars() {
            let cases = if letter.is_ascii() { vec![letter.to_string()] } else { cases(letter) };
            forms = forms
                .iter()
                .flat_map(|form| cases.iter().map(move |case| format!("{form}{case}")))
                .collect();
        }
        forms
    };
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// A letter, small and great.
fn cases(letter: char) -> Vec<String> {
    let mut cases =
        vec![letter.to_string(), letter.to_lowercase().collect(), letter.to_uppercase().collect()];
    cases.sort_unstable();
    cases.dedup();
    cases
}

/// The range of identifiers that begin with a text: of at least four hexadecimal digits, so that short
/// words do not find everybody.
fn identifiers(text: &str) -> Option<(Uuid, Uuid)> {
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    let is_prefix = (4..=32).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (text == digits || Uuid::nil().to_string().starts_with(&shape(text)));
    if !is_prefix {
        return None;
    }
    let filled = |filler: &str| {
        let rest = filler.repeat(32 - digits.len());
        u128::from_str_radix(&format!("{digits}{rest}"), 16).ok().map(Uuid::from_u128)
    };
    filled("0").zip(filled("f"))
}

/// A text with a zero for each letter, and its hyphens.
fn shape(text: &str) -> String {
    text.chars().map(|letter| if letter == '-' { '-' } else { '0' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(text: &str) -> Vec<String> {
        words(text).unwrap().into_iter().flat_map(|word| word.patterns).collect()
    }

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(patterns("a%b_c\\"), ["%a\\%b\\_c\\\\%"]);
        assert_eq!(patterns(" erika  köln "), ["%erika%", "%kÖln%", "%köln%"]);
        assert_eq!(patterns("  "), [""; 0]);
    }

    #[test]
    fn letters_beyond_ascii_are_found_in_either_case() {
        assert_eq!(patterns("Öß"), ["%ÖSS%", "%Öß%", "%öSS%", "%öß%"]);
        assert_eq!(patterns("äöüäö").len(), 2);
        assert!(patterns(&"Ω".repeat(200)).len() <= 3);
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert!(words(&"x".repeat(200)).is_some() && words(&"Ω".repeat(201)).is_none());
        assert_eq!(words(&"x ".repeat(9)).unwrap().len(), 8);
        assert_eq!(patterns("a b c d e f g h  i ")[7], "%h  i%");
        assert!(words("a\0b").is_none());
    }

    #[test]
    fn identifiers_are_found_by_their_beginning() {
        let range = |text: &str| words(text).unwrap().remove(0).identifiers;
        let whole = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001";
        let uuid: Uuid = whole.parse().unwrap();
        for text in [whole, &whole.to_uppercase(), &uuid.simple().to_string()] {
            assert_eq!(range(text), Some((uuid, uuid)), "{text}");
        }
        for text in ["6e9d", "6e9d3c5c-", "6e9d3c5c-6a"] {
            let (first, last) = range(text).unwrap();
            assert!(first <= uuid && uuid <= last && first < last, "{text}");
        }
        for text in ["6e9", "6e9-d", "6e9dx", "----", &"0".repeat(33)] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
