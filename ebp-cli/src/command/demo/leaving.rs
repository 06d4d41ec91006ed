//! The end of the demo: a household revokes its consent, and a map shows its masked location.
//!
//! Enters: the demo's state, while its server runs. Leaves: a text with a map. Absent: masking,
//! which the server does.

use std::collections::HashSet;

use ebp_anon::{
    DistanceBounds, Position, Regions,
    outline::{Frame, outline},
};
use ebp_core::{contract::Registration, model::Location};
use ebp_store::RevokedHousehold;
use uuid::Uuid;

use super::{
    households::{DemoHousehold, registration},
    participants,
    state::State,
};
use crate::{
    exit::{CommandResult, Failure, server},
    stdout::print,
};

/// The greatest width of a line, characters.
const COLUMNS: usize = 78;
/// The height of the map, lines.
const ROWS: usize = 22;
/// The distance between the map's lower and upper edge, metres.
const HEIGHT_M: f64 = 24_000.0;

/// Revokes the household's consent and prints the result.
pub fn leave(state: &State, leaving: &DemoHousehold) -> CommandResult {
    let before: HashSet<Uuid> = revoked(state)?.iter().map(|known| known.household).collect();
    participants::revoke_consent(state, leaving)?;
    let left = revoked(state)?.into_iter().find(|known| !before.contains(&known.household));
    let location = left.and_then(|left| left.location);
    print(tell_of(leaving, location.as_ref(), ebp_anon::embedded()))
}

fn revoked(state: &State) -> Result<Vec<RevokedHousehold>, Failure> {
    crate::runtime::on_this_thread()?.block_on(async {
        let store = ebp_store::open_store(&state.database).await.map_err(server::store)?;
        let revoked = store.revoked_households().await.map_err(server::store)?;
        store.close().await.map_err(server::store)?;
        Ok(revoked)
    })
}

/// The text about what a revocation did.
fn tell_of(
    household: &DemoHousehold,
    released: Option<&Location>,
    regions: Option<&Regions>,
) -> String {
    let mut text = format!(
        "\nhousehold {} has revoked its consent: its account answers 410 from now on, its\n\
         measurements stay under other identifiers, its contact and address are removed",
        household.number
    );
    let Registration { location, .. } = registration(household);
    let position = |at: &Location| Position::new(at.latitude, at.longitude).ok();
    let (Some(regions), Some(origin), Some(to)) =
        (regions, location.as_ref().and_then(position), released.and_then(position))
    else {
        text += ",\nand it is withheld until it can be masked\n";
        return text;
    };
    text += ",\nand its location is a random one";
    if let Some(region) = regions.at(origin) {
        let bounds: DistanceBounds = region.bounds();
        text += &format!(
            " {:.1} to {:.1} km away,\nwhich follows from the {} persons per km² of {}",
            bounds.min_m() / 1e3,
            bounds.max_m() / 1e3,
            region.density(),
            region.name().split(',').next().unwrap_or_default()
        );
    }
    let frame = Frame { centre: origin, height_m: HEIGHT_M, columns: COLUMNS, rows: ROWS };
    let marks = [(origin, "○"), (to, "●")];
    text += "\n\n";
    for line in outline(regions, frame, &marks) {
        text += &format!("{line}\n");
    }
    let landed = regions
        .at(to)
        .map_or("abroad".to_owned(), |region| format!("{} {}", region.code(), region.name()));
    text += &format!(
        "\n○ where it is, which nobody is told\n\
         ● where it is said to be: {:.6} {:.6}, {landed}\n",
        to.latitude(),
        to.longitude()
    );
    for notice in &regions.provenance().notices {
        text += &wrapped(notice);
    }
    text
}

/// Breaks a text between words into lines of at most [`COLUMNS`] characters.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > COLUMNS {
            lines.push_str("\n  ");
            length = 2;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word_length;
    }
    lines + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::demo::households::{Identifiers, leaving};

    fn household() -> DemoHousehold {
        let folder = tempfile::tempdir().unwrap();
        leaving(folder.path(), &Identifiers::draw(folder.path()).ok().unwrap(), 1)
    }

    #[cfg(feature = "germany")]
    #[test]
    fn the_map_fits_a_terminal_and_says_what_it_shows() {
        let regions = ebp_anon::embedded().unwrap();
        let released = Location { precision: None, ..Location::entered(50.1, 8.3) };
        let text = tell_of(&household(), Some(&released), Some(regions));
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        for told in ["50.100000 8.300000", "2.5 to 6.4 km", "© GeoBasis-DE"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        // Once on the map, and once in the legend below it.
        for mark in ["○", "●"] {
            assert_eq!(text.matches(mark).count(), 2, "{mark}: {text}");
        }
        assert!(text.lines().count() > ROWS, "{text}");
    }

    #[test]
    fn what_was_not_masked_is_withheld() {
        let text = tell_of(&household(), None, ebp_anon::embedded());
        assert!(text.contains("withheld") && !text.contains('●'), "{text}");
    }
}
