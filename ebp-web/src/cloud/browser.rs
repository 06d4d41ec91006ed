//! The family of a browser, as it says itself: for the list of sessions.

use axum::http::{HeaderMap, header};

/// Names in `User-Agent`, those first that others say of themselves as well.
const FAMILIES: [(&str, &str); 6] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// Systems in the same header.
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// `Firefox, Linux`; nothing if the header says nothing that is known.
pub fn family(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name)
    };
    match (named(&FAMILIES), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
        (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_are_kept() {
        let of = |agent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            family(&headers)
        };
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/156.0 Safari/537 Edg/156";
        assert_eq!(of(edge).as_deref(), Some("Edge, Windows"));
        let phone = "Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537";
        assert_eq!(of(phone).as_deref(), Some("Chrome, Android"));
        assert_eq!(of("curl/8.1").as_deref(), Some("curl"));
        assert_eq!(of("<script>"), None);
    }
}
