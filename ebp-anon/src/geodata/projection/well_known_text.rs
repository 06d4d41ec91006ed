//! Well-known text of coordinate systems as nested nodes, of both versions (ISO 19162 and before).

/// A keyword with texts, numbers and further nodes in brackets.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub keyword: String,
    texts: Vec<String>,
    numbers: Vec<f64>,
    pub children: Vec<Node>,
}

impl Node {
    /// Reads a text that is one node.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim_start_matches('\u{feff}').trim();
        let node = Self::take(&mut rest, 0)?;
        rest.trim().is_empty().then_some(node)
    }

    fn take(rest: &mut &str, depth: usize) -> Option<Self> {
        if depth > 8 {
            return None;
        }
        let (keyword, after) = rest.split_once(['[', '('])?;
        let mut node = Self { keyword: keyword.trim().to_ascii_uppercase(), ..Self::default() };
        *rest = after;
        loop {
            *rest = rest.trim_start();
            if let Some(quoted) = rest.strip_prefix('"') {
                let (text, after) = quoted.split_once('"')?;
                node.texts.push(text.to_owned());
                *rest = after;
            } else {
                let end = rest.find([',', ']', ')', '[', '('])?;
                let word = rest[..end].trim();
                if rest[end..].starts_with(['[', '(']) {
                    node.children.push(Self::take(rest, depth + 1)?);
                } else {
                    // Directions such as EAST are unquoted and not needed here.
                    node.numbers.extend(word.parse::<f64>());
                    *rest = &rest[end..];
                }
            }
            *rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix(',') {
                *rest = after;
            } else {
                *rest = rest.strip_prefix([']', ')'])?;
                return Some(node);
            }
        }
    }

    /// The first child of any of these keywords, which versions of the text differ in.
    pub fn child(&self, keywords: &[&str]) -> Option<&Self> {
        self.children.iter().find(|child| keywords.contains(&child.keyword.as_str()))
    }

    /// The first text, mostly a name.
    pub fn text(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    /// The second text.
    pub fn second_text(&self) -> &str {
        self.texts.get(1).map_or("", String::as_str)
    }

    /// A number by its place.
    pub fn number(&self, index: usize) -> Option<f64> {
        self.numbers.get(index).copied()
    }
}
