//! The little Markdown that texts of a survey need: headings, lists, paragraphs, strong text.
//!
//! Everything else stays text: no HTML, no links, no pictures, whoever wrote it.

use super::chart::escape;

/// How many hashes a heading begins with; 0 for any other line.
fn hashes_of(line: &str) -> usize {
    let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=4).contains(&hashes) && line[hashes..].starts_with(' ') { hashes } else { 0 }
}

/// HTML of a text. Its highest headings are of that level, so that no level is left out.
#[must_use]
pub fn html(text: &str, level: usize) -> String {
    let highest =
        text.lines().map(|line| hashes_of(line.trim())).filter(|hashes| *hashes > 0).min();
    let highest = highest.unwrap_or(1);
    let mut html = String::with_capacity(text.len() + text.len() / 4);
    let mut open: Option<&'static str> = None;
    for line in text.lines().chain([""]) {
        let line = line.trim();
        let hashes = hashes_of(line);
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        let heading = (hashes > 0).then(|| line[hashes + 1..].trim());
        let block = match (line.is_empty() || heading.is_some(), item) {
            (true, _) => None,
            (false, Some(_)) => Some("ul"),
            // A line after an item goes on with it.
            (false, None) => Some(open.unwrap_or("p")),
        };
        if block != open {
            match open {
                Some("ul") => html.push_str("</li></ul>"),
                Some(_) => html.push_str("</p>"),
                None => {}
            }
            match block {
                Some("ul") => html.push_str("<ul>"),
                Some(_) => html.push_str("<p>"),
                None => {}
            }
        } else if open.is_some() {
            html.push_str(if item.is_some() { "</li>" } else { "\n" });
        }
        if let Some(heading) = heading {
            let level = (level + hashes - highest).min(6);
            html.push_str(&format!("<h{level}>{}</h{level}>", inline(heading)));
        } else if let Some(item) = item {
            html.push_str("<li>");
            html.push_str(&inline(item));
        } else {
            html.push_str(&inline(line));
        }
        open = block;
    }
    html
}

/// Escaped text in which `**this**` is strong.
fn inline(text: &str) -> String {
    let escaped = escape(text);
    let parts: Vec<_> = escaped.split("**").collect();
    let mut html = String::with_capacity(escaped.len());
    for (place, part) in parts.iter().enumerate() {
        let closes = place % 2 == 1 && place + 1 < parts.len();
        match (closes, place % 2 == 1) {
            (true, _) => html.push_str(&format!("<strong>{part}</strong>")),
            (false, true) => html.push_str(&format!("**{part}")),
            (false, false) => html.push_str(part),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_have_headings_lists_and_paragraphs() {
        let text =
            "# Wer\nWir **messen**.\nUnd senden.\n\n- eins\n- zwei\n  weiter\n## Was\n* drei\n";
        assert_eq!(
            html(text, 2),
            "<h2>Wer</h2><p>Wir <strong>messen</strong>.\nUnd senden.</p>\
             <ul><li>eins</li><li>zwei\nweiter</li></ul><h3>Was</h3><ul><li>drei</li></ul>"
        );
        assert_eq!(html("a ** b", 2), "<p>a ** b</p>");
        assert_eq!(html("#kein", 2), "<p>#kein</p>");
    }

    proptest! {
        /// Only our own tags come out, and each is closed.
        #[test]
        fn nothing_else_becomes_html(text in "[-#* a<>\"&\n]{0,60}") {
            let html = html(&text, 2);
            let mut open = Vec::new();
            for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
                match tag.strip_prefix('/') {
                    Some(name) => prop_assert_eq!(open.pop(), Some(name.to_owned())),
                    None => {
                        prop_assert!(["h2", "h3", "h4", "h5", "p", "ul", "li", "strong"].contains(&tag), "{}", tag);
                        open.push(tag.to_owned());
                    }
                }
            }
            prop_assert!(open.is_empty(), "{}", html);
        }
    }
}
