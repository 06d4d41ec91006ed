//! A map for a terminal: the borders of regions in Braille dots, and texts at places.
//!
//! Enters: regions, a frame, texts with their positions. Leaves: lines. Absent: true positions, unless
//! the caller puts one there.

use crate::{Position, Regions, geodata::Vertex};

/// Metres of a degree of latitude, good enough to look at.
const DEGREE_M: f64 = 111_200.0;
/// The first of the Braille patterns, without any dot.
const BRAILLE: u32 = 0x2800;
/// The bit of a dot in its character, by row and column.
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// What part of the world is shown, and in how many characters.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// What lies in the middle.
    pub centre: Position,
    /// From the lower to the upper edge, metres.
    pub height_m: f64,
    /// Characters in a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

impl Frame {
    /// Dots to the right of and below the upper left corner.
    fn dot(&self, longitude: f64, latitude: f64) -> (f64, f64) {
        let per_degree = DEGREE_M * (4 * self.rows) as f64 / self.height_m;
        let east = longitude - self.centre.longitude();
        let north = latitude - self.centre.latitude();
        (
            self.columns as f64 + east * per_degree * self.centre.latitude().to_radians().cos(),
            (2 * self.rows) as f64 - north * per_degree,
        )
    }
}

/// Draws the borders within the frame, and each text from its position to the right; a later one
/// covers an earlier one. Lines end where there is nothing more.
#[must_use]
pub fn outline(regions: &Regions, frame: Frame, texts: &[(Position, &str)]) -> Vec<String> {
    let mut dots = vec![vec![0_u8; frame.columns]; frame.rows];
    let rings = regions.geodata().regions.iter().flat_map(|region| region.shapes.iter().flatten());
    for ring in rings {
        let corner =
            |vertex: &Vertex| frame.dot(f64::from(vertex.x) / 1e7, f64::from(vertex.y) / 1e7);
        for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            draw(&mut dots, corner(from), corner(to));
        }
    }
    let mut lines: Vec<Vec<char>> =
        dots.iter().map(|row| row.iter().map(character).collect()).collect();
    for (place, text) in texts {
        let (x, y) = frame.dot(place.longitude(), place.latitude());
        if x < 0.0 || y < 0.0 {
            continue;
        }
        let Some(line) = lines.get_mut((y / 4.0) as usize) else { continue };
        for (cell, character) in line.iter_mut().skip((x / 2.0) as usize).zip(text.chars()) {
            *cell = character;
        }
    }
    lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect()
}

/// A straight line from dot to dot, as far as it lies within.
fn draw(dots: &mut [Vec<u8>], from: (f64, f64), to: (f64, f64)) {
    let (width, height) = (dots.first().map_or(0, |row| 2 * row.len()), 4 * dots.len());
    let beside = |a: f64, b: f64, most: usize| a.max(b) < 0.0 || a.min(b) >= most as f64;
    if beside(from.0, to.0, width) || beside(from.1, to.1, height) {
        return;
    }
    let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0);
    for step in 0..=steps as u32 {
        let part = f64::from(step) / steps;
        let (x, y) = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
        if x < 0.0 || y < 0.0 {
            continue;
        }
        let (x, y) = (x as usize, y as usize);
        if let Some(cell) = dots.get_mut(y / 4).and_then(|row| row.get_mut(x / 2)) {
            *cell |= DOTS[y % 4][x % 2];
        }
    }
}

fn character(dots: &u8) -> char {
    match dots {
        0 => ' ',
        _ => char::from_u32(BRAILLE + u32::from(*dots)).unwrap_or(' '),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        RegionCode,
        geodata::{Geodata, Provenance, RegionData},
    };

    /// A region from 50° to 50.1° N, 8° to 8.1° E: 11 km by 7 km.
    fn square() -> Regions {
        let corner =
            |x, y| Vertex { x: 80_000_000 + x * 1_000_000, y: 500_000_000 + y * 1_000_000 };
        let regions = vec![RegionData {
            code: RegionCode::new("XX001").unwrap(),
            name: "Square".to_owned(),
            density: 100.0,
            shapes: vec![vec![vec![corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)]]],
        }];
        Regions::new(Geodata { provenance: Provenance::default(), regions }).unwrap()
    }

    fn frame(height_m: f64) -> Frame {
        let centre = Position::new(50.05, 8.05).unwrap();
        Frame { centre, height_m, columns: 16, rows: 6 }
    }

    #[test]
    fn borders_and_texts_are_where_they_belong() {
        let regions = square();
        let at = |latitude, longitude| Position::new(latitude, longitude).unwrap();
        let texts = [
            (at(50.05, 8.05), "o home"),
            // Cut off at the edge; and two that lie beyond it.
            (at(50.05, 8.16), "abcdef"),
            (at(50.5, 8.05), "north"),
            (at(50.05, 7.5), "west"),
        ];
        let lines = outline(&regions, frame(15_000.0), &texts);
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[3].chars().nth(8), Some('o'), "{lines:#?}");
        assert!(lines[3].contains("o home"), "{lines:#?}");
        let all = lines.join("\n");
        assert!(!all.contains("north") && !all.contains("west"), "{all}");
        assert!(lines.iter().all(|line| line.chars().count() <= 16), "{all}");
        // Two sides run from top to bottom, and within there is nothing.
        for line in &lines[1..3] {
            assert_eq!(line.split_whitespace().count(), 2, "{all}");
        }
    }

    #[test]
    fn of_what_lies_around_it_a_frame_within_shows_nothing() {
        assert_eq!(outline(&square(), frame(4_000.0), &[]), [""; 6]);
    }
}
