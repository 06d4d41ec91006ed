//! Units for systemd and lines of crontabs, as they stand in the book.

use super::block;

/// The program, as units and crontabs name it.
pub const PROGRAM: &str = "/usr/local/bin/ebp";

/// A file for `/etc/systemd/system`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub name: String,
    pub text: String,
}

/// The units of a page, in groups that are installed together: where a name comes again, another way
/// to do the same begins.
pub fn groups(page: &str) -> Vec<Vec<Unit>> {
    let mut groups: Vec<Vec<Unit>> = vec![Vec::new()];
    for text in block::texts(page, "ini") {
        let first = text.lines().next().unwrap_or_default();
        let Some(name) = first.strip_prefix("# /etc/systemd/system/") else { continue };
        let unit = Unit { name: name.to_owned(), text };
        match groups.last_mut() {
            Some(group) if group.iter().all(|other| other.name != unit.name) => group.push(unit),
            _ => groups.push(vec![unit]),
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// The lines of a page's crontabs: of blocks that name the program in each line.
pub fn crontab(page: &str) -> Vec<String> {
    let blocks = block::texts(page, "text").into_iter();
    let crontabs = blocks.filter(|text| text.lines().all(|line| line.contains(PROGRAM)));
    crontabs.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// What a line of a crontab says.
#[derive(Debug, PartialEq, Eq)]
pub struct Job {
    /// The minutes of each hour at which it runs; none where it runs at the machine's start.
    pub minutes: Vec<u32>,
    pub command: String,
}

/// Fields of a crontab and the values that they may have (crontab(5)).
const FIELDS: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7)];

/// Reads a line as cron does.
///
/// # Errors
/// What is wrong with it.
pub fn job(line: &str) -> Result<Job, String> {
    // Cron makes a line's end of it.
    if line.contains('%') {
        return Err("it has an unescaped %".to_owned());
    }
    if let Some(command) = line.strip_prefix("@reboot ") {
        return Ok(Job { minutes: Vec::new(), command: command.trim().to_owned() });
    }
    let (mut rest, mut minutes) = (line, None);
    for (name, least, most) in FIELDS {
        let (value, after) = rest
            .split_once([' ', '\t'])
            .ok_or_else(|| format!("it ends before its field `{name}`"))?;
        let values = field(value, least, most).ok_or_else(|| format!("{name}: `{value}`"))?;
        minutes.get_or_insert(values);
        rest = after.trim_start();
    }
    Ok(Job { minutes: minutes.unwrap_or_default(), command: rest.to_owned() })
}

/// The values that a field names.
fn field(text: &str, least: u32, most: u32) -> Option<Vec<u32>> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (first, last) = match (range, range.split_once('-')) {
            ("*", _) => (least, most),
            (_, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
            (one, None) if step == 1 => (one.parse().ok()?, one.parse().ok()?),
            _ => return None,
        };
        if first < least || last > most || first > last {
            return None;
        }
        values.extend((first..=last).step_by(usize::try_from(step).ok()?));
    }
    Some(values)
}

#[test]
fn crontabs_are_read_as_cron_does() {
    let minutes = |line: &str| job(line).map(|job| job.minutes);
    assert_eq!(minutes("*/15 * * * * a"), Ok(vec![0, 15, 30, 45]));
    assert_eq!(minutes("1,5-7 0 1 1 0\ta b"), Ok(vec![1, 5, 6, 7]));
    let reboot = Job { minutes: vec![], command: "a --b".to_owned() };
    assert_eq!(job("@reboot a --b"), Ok(reboot));
    for wrong in [
        "60 * * * * a",
        "* 24 * * * a",
        "* * 0 * * a",
        "*/0 * * * * a",
        "* * * *",
        "* * * * * date +%F",
    ] {
        assert!(job(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_name_that_comes_again_begins_a_group() {
    let unit = |name: &str| format!("```ini\n# /etc/systemd/system/{name}\n[Unit]\n```\n");
    let page = ["a.service", "a.timer", "a.service"].map(unit).concat();
    let names: Vec<Vec<String>> = groups(&page)
        .into_iter()
        .map(|group| group.into_iter().map(|unit| unit.name).collect())
        .collect();
    assert_eq!(names, [vec!["a.service", "a.timer"], vec!["a.service"]]);
}
