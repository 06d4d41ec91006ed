//! What holds for every page as a browser shows it: width, headings, console, axe. Keeps a picture.

use std::path::PathBuf;

use ebp_testkit::browser::Browser;

const AXE: &str = include_str!("../axe/axe.min.js");

/// What axe cannot decide, and why it is sound: the rule, and the reason.
const EXPLAINED: [(&str, &str); 1] = [(
    "color-contrast",
    "axe does not see what lies behind a text in an SVG, in a table that scrolls, or beside a legend; \
     palette.rs computes the contrast of every colour of text on both grounds, in both themes",
)];

fn is_explained(found: &str) -> bool {
    EXPLAINED.iter().any(|(rule, _)| found.starts_with(&format!("{rule}: ")))
}

/// Looks at the page as it is. The console may have lines about answers with the expected statuses.
#[track_caller]
pub fn look(browser: &Browser, name: &str, expected: &[u16]) {
    // A page that is wider makes the window of a telephone wider, too, but not its screen.
    let over = browser.run("return document.documentElement.scrollWidth - screen.width");
    assert!(over.as_i64().unwrap() <= 0, "{name} scrolls sideways by {over} px");
    assert_eq!(browser.run("return document.querySelectorAll('h1').length"), 1, "{name}");
    let found = browser.run(&format!(
        "{AXE};
         const nodes = found => found.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200)));
         return axe.run(document, {{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }})
             .then(r => [nodes(r.violations), nodes(r.incomplete)])"
    ));
    let [violations, incomplete]: [Vec<String>; 2] = serde_json::from_value(found).unwrap();
    assert_eq!(violations, Vec::<String>::new(), "{name}");
    let unexplained: Vec<_> = incomplete.iter().filter(|found| !is_explained(found)).collect();
    assert!(unexplained.is_empty(), "{name}: {unexplained:#?}");
    assert_eq!(browser.console(expected), Vec::<String>::new(), "{name}");
    if let Some(folder) = std::env::var_os("EBP_PICTURES") {
        let file = PathBuf::from(folder).join(format!("{name}.png"));
        std::fs::write(file, browser.picture()).unwrap();
    }
}
