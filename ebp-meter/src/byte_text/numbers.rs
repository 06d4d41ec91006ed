//! Lists of decimal numbers.
//!
//! Enters: lines. Leaves: their bytes. Absent: other numbers: a line with one above 255 has none.

use super::prefix::behind_prefix;

/// What was read of the lines so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    /// The number that a line begins with if they are numbered; unknown before the first one.
    index: Option<Option<u64>>,
}

impl Numbers {
    pub fn take(&mut self, line: &str, out: &mut Vec<u8>) {
        let mut is_list = false;
        // A line may have several lists: `[{"data":[27,27]},{"data":[27]}]`.
        for list in line.split('[').skip(1) {
            let inside = list.split(']').next().unwrap_or_default();
            let is_usual = |c: char| c.is_ascii_digit() || c.is_whitespace() || c == ',';
            if inside.chars().all(is_usual)
                && let Some(bytes) = numbers(inside)
                && bytes.len() > 1
            {
                is_list = true;
                out.extend(bytes.iter().filter_map(|number| u8::try_from(*number).ok()));
            }
        }
        if is_list {
            return;
        }
        let Some(all) = words(behind_prefix(line)) else { return };
        let bytes = self.without_index(&all);
        if bytes.iter().all(|number| u8::try_from(*number).is_ok()) {
            out.extend(bytes.iter().filter_map(|number| u8::try_from(*number).ok()));
        }
    }

    /// Lines of a number and a byte, of which the first counts them, have the byte alone.
    fn without_index<'a>(&mut self, numbers: &'a [u64]) -> &'a [u64] {
        let [first, rest @ ..] = numbers else { return numbers };
        if rest.len() != 1 {
            return numbers;
        }
        match self.index {
            None if *first <= 1 => self.index = Some(Some(*first)),
            None => self.index = Some(None),
            Some(before) => {
                self.index = Some(before.filter(|before| before + 1 == *first).map(|_| *first))
            }
        }
        if self.index == Some(None) { numbers } else { rest }
    }
}

/// The numbers, if there is nothing else and each is a byte.
fn numbers(text: &str) -> Option<Vec<u64>> {
    words(text).filter(|all| all.iter().all(|number| u8::try_from(*number).is_ok()))
}

/// The numbers, if there is nothing else.
fn words(text: &str) -> Option<Vec<u64>> {
    let is_between = |c: char| c.is_whitespace() || ",;:|[](){}\u{1b}".contains(c);
    // What a terminal's colours leave behind.
    let text = text.split("\u{1b}[").next().unwrap_or_default();
    let text = text.strip_suffix("[0m").unwrap_or(text);
    let words = text.split(is_between).filter(|word| !word.is_empty());
    let is_number = |word: &str| word.len() <= 9 && word.bytes().all(|byte| byte.is_ascii_digit());
    words.map(|word| if is_number(word) { word.parse().ok() } else { None }).collect()
}
