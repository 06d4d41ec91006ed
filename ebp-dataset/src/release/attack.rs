//! How many households a nearest neighbour finds: the risk that a release leaves.

/// A share with an interval (Wilson, 95 %).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// So many
    pub found: usize,
    /// of so many.
    pub of: usize,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { found, of, low, high } = self;
        write!(f, "{found} of {of} (95 % interval {:.1} % to {:.1} %)", low * 100.0, high * 100.0)
    }
}

/// Wilson's interval of a share.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a statistic")]
pub fn wilson(found: usize, of: usize) -> Share {
    const Z: f64 = 1.959_963_984_540_054;
    if of == 0 {
        return Share { found, of, low: 0.0, high: 1.0 };
    }
    let (count, share) = (of as f64, found as f64 / of as f64);
    let middle = share + Z * Z / (2.0 * count);
    let reach = Z * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
    let whole = 1.0 + Z * Z / count;
    let (low, high) = ((middle - reach) / whole, (middle + reach) / whole);
    Share { found, of, low: low.max(0.0), high: high.min(1.0) }
}

/// The released series that is nearest to a known one: the mean squared difference over the
/// intervals that both have. Nothing where there is none to compare, or where two are alike.
#[must_use]
pub fn find_nearest(known: &[f64], released: &[Vec<f64>]) -> Option<usize> {
    let mut best: Option<(f64, usize, bool)> = None;
    for (place, series) in released.iter().enumerate() {
        let pairs = known.iter().zip(series).filter(|(a, b)| a.is_finite() && b.is_finite());
        let (mut sum, mut count) = (0.0, 0.0);
        for (a, b) in pairs {
            sum += (a - b) * (a - b);
            count += 1.0;
        }
        if count == 0.0 {
            continue;
        }
        let distance = sum / count;
        match &mut best {
            Some((least, _, tie)) if distance == *least => *tie = true,
            Some((least, ..)) if distance > *least => {}
            _ => best = Some((distance, place, false)),
        }
    }
    best.filter(|(.., tie)| !tie).map(|(_, place, _)| place)
}

/// How many households have a total of whole kWh that no other one has.
#[must_use]
pub fn unique_share(totals: &[f64]) -> Share {
    let rounded: Vec<f64> = totals.iter().map(|total| total.round()).collect();
    let alone = |total: &&f64| rounded.iter().filter(|other| other == total).count() == 1;
    wilson(rounded.iter().filter(alone).count(), rounded.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_wilsons() {
        let share = wilson(54, 100);
        assert_eq!(share.to_string(), "54 of 100 (95 % interval 44.3 % to 63.4 %)");
        assert_eq!(wilson(0, 0).to_string(), "0 of 0 (95 % interval 0.0 % to 100.0 %)");
        let all = wilson(100, 100);
        assert!(all.low > 0.96 && all.high <= 1.0, "{all}");
    }

    #[test]
    fn the_nearest_series_is_found() {
        let released = vec![vec![0.1, 0.2, 0.3], vec![0.1, f64::NAN, 0.9], vec![f64::NAN; 3]];
        assert_eq!(find_nearest(&[0.1, 0.2, 0.31], &released), Some(0));
        assert_eq!(find_nearest(&[0.1, 0.5, 0.8], &released), Some(1));
        assert_eq!(find_nearest(&[f64::NAN; 3], &released), None);
        let alike = vec![vec![1.0], vec![1.0]];
        assert_eq!(find_nearest(&[1.0], &alike), None, "a guess is no finding");
    }

    #[test]
    fn totals_that_nobody_else_has_are_counted() {
        let share = unique_share(&[100.2, 99.8, 200.0, 301.0]);
        assert_eq!((share.found, share.of), (2, 4));
    }
}
