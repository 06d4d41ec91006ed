//! Models whose names are near to one that nobody knows.

/// At most three models with a name near to that one, nearest first. Each model comes as its name, and
/// all that it is called.
pub(crate) fn nearest<'a, N: Iterator<Item = &'a str>>(
    name: &str,
    models: impl Iterator<Item = (&'a str, N)>,
) -> Vec<String> {
    let wanted = plain(name);
    if wanted.is_empty() {
        return Vec::new();
    }
    let far = |own: String| {
        let contained = wanted.len() >= 3 && (own.contains(&wanted) || wanted.contains(&own));
        if contained { 1 } else { distance(&own, &wanted) }
    };
    let mut found: Vec<(usize, &str)> = models
        .filter_map(|(name, names)| Some((names.map(plain).map(far).min()?, name)))
        .filter(|(distance, _)| *distance <= 2)
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// A name without what people write differently each time.
fn plain(name: &str) -> String {
    name.chars()
        .take(64)
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("mt175", "mt175"), 0);
        assert_eq!(distance("mt175", "mt174"), 1);
        assert_eq!(distance("ehz", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
