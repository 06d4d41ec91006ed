//! The style sheet's colours, computed: contrast in both themes, and how far the series are apart,
//! also for people who cannot tell red from green.

const STYLE: &str = include_str!("../../../assets/style.css");

type Rgb = [f64; 3];

/// The colours of a theme: those of the block after that marker.
fn colours(marker: &str) -> Vec<(String, Rgb)> {
    let block = STYLE.split(marker).nth(1).unwrap().split('}').next().unwrap();
    let found: Vec<_> = block
        .split("--")
        .filter_map(|entry| entry.split_once(':'))
        .filter_map(|(name, value)| Some((name.trim().to_owned(), parse(value)?)))
        .collect();
    assert!(found.len() >= 10, "{marker}: {found:?}");
    found
}

fn parse(value: &str) -> Option<Rgb> {
    let digits = value.trim().strip_prefix('#')?.get(..6)?;
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok().map(linear);
    Some([part(0)?, part(2)?, part(4)?])
}

fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
}

/// WCAG 2.2, contrast ratio.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |[r, g, b]: Rgb| 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Distance in OKLab (Ottosson 2020).
fn distance(a: Rgb, b: Rgb) -> f64 {
    let lab = |[r, g, b]: Rgb| {
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766 * s,
        ]
    };
    let (a, b) = (lab(a), lab(b));
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

/// Deuteranopia, protanopia and tritanopia (Machado, Oliveira, Fernandes 2009, severity 1).
const DEFICIENCIES: [[Rgb; 3]; 3] = [
    [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ],
    [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ],
    [
        [1.255_528, -0.076_749, -0.178_779],
        [-0.078_411, 0.930_809, 0.147_602],
        [0.004_733, 0.691_367, 0.303_900],
    ],
];

fn seen(matrix: &[Rgb; 3], colour: Rgb) -> Rgb {
    matrix.map(|row| (0..3).map(|i| row[i] * colour[i]).sum::<f64>().clamp(0.0, 1.0))
}

const THEMES: [&str; 3] = ["/* light */", "/* dark by the system */", "/* dark by choice */"];

#[test]
fn texts_and_bars_can_be_read_in_both_themes() {
    for theme in THEMES {
        let colours = colours(theme);
        let get = |name: &str| {
            colours
                .iter()
                .find(|(other, _)| other == name)
                .unwrap_or_else(|| panic!("{theme}: {name}"))
                .1
        };
        for ground in ["ground", "surface"] {
            for text in ["text", "soft", "link", "bad", "good"] {
                let ratio = contrast(get(text), get(ground));
                assert!(ratio >= 4.5, "{theme}: {text} on {ground} {ratio:.2}");
            }
            for part in ["up", "down", "curve", "edge", "hatch"] {
                let ratio = contrast(get(part), get(ground));
                assert!(ratio >= 3.0, "{theme}: {part} on {ground} {ratio:.2}");
            }
        }
        let ratio = contrast(get("on-button"), get("button"));
        assert!(ratio >= 4.5, "{theme}: button {ratio:.2}");
    }
}

#[test]
fn series_differ_for_every_eye() {
    for theme in THEMES {
        let colours = colours(theme);
        let get = |name: &str| colours.iter().find(|(other, _)| other == name).unwrap().1;
        for (a, b) in [("up", "down"), ("down", "curve"), ("up", "curve")] {
            let plain = distance(get(a), get(b));
            assert!(plain >= 0.15, "{theme}: {a} and {b} {plain:.3}");
            for matrix in &DEFICIENCIES {
                let apart = distance(seen(matrix, get(a)), seen(matrix, get(b)));
                assert!(apart >= 0.2, "{theme}: {a} and {b} {apart:.3}");
            }
        }
    }
}

/// The system's dark theme and the chosen one are the same.
#[test]
fn dark_is_dark() {
    assert_eq!(colours(THEMES[1]), colours(THEMES[2]));
}

#[test]
fn the_measures_are_right() {
    let (white, black) = ([1.0; 3], [0.0; 3]);
    assert!((contrast(white, black) - 21.0).abs() < 1e-9);
    assert!((distance(white, black) - 1.0).abs() < 1e-3);
    let grey = parse("#777777").unwrap();
    assert!((contrast(grey, white) - 4.48).abs() < 0.01);
}
