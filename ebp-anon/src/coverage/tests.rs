//! Borders of made-up regions, and Germany's.

use super::*;
use crate::{RegionCode, geodata::Provenance};

fn region(code: &str, rings: &[&[Point]]) -> RegionData {
    let ring = |points: &&[Point]| points.iter().map(|&(x, y)| Vertex { x, y }).collect();
    RegionData {
        code: RegionCode::new(code).unwrap(),
        name: code.to_owned(),
        density: 100.0,
        shapes: vec![rings.iter().map(ring).collect()],
    }
}

fn geodata(regions: Vec<RegionData>) -> Geodata {
    Geodata { provenance: Provenance::default(), regions }
}

/// A side between two corners, the same in both directions.
fn sides(geodata: &Geodata) -> HashMap<(Point, Point), usize> {
    let mut sides = HashMap::new();
    for ring in geodata.regions.iter().flat_map(|region| region.shapes.iter().flatten()) {
        let points = points(ring);
        for at in 0..points.len() {
            let (a, b) = (points[at], points[(at + 1) % points.len()]);
            *sides.entry((a.min(b), a.max(b))).or_default() += 1;
        }
    }
    sides
}

/// Whether two sides meet anywhere but at an end that they share.
fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    if [a, b].iter().any(|end| [c, d].contains(end)) {
        return false;
    }
    let sign = |turn: i128| turn.signum();
    sign(turn(a, b, c)) * sign(turn(a, b, d)) <= 0 && sign(turn(c, d, a)) * sign(turn(c, d, b)) <= 0
}

fn crossings(geodata: &Geodata) -> usize {
    let mut sides: Vec<(Point, Point)> = sides(geodata).into_keys().collect();
    sides.sort_unstable();
    let mut found = 0;
    for (at, one) in sides.iter().enumerate() {
        let high = |side: &(Point, Point)| (side.0.1.min(side.1.1), side.0.1.max(side.1.1));
        let (south, north) = high(one);
        // They are sorted by their western ends.
        for other in sides[at + 1..].iter().take_while(|other| other.0.0 <= one.1.0) {
            let (lower, upper) = high(other);
            found += usize::from(lower <= north && south <= upper && cross(*one, *other));
        }
    }
    found
}

/// Degrees that are some 1 km apart here, at the equator.
const KM: i32 = 90_000;

#[test]
fn neighbours_share_what_is_left_of_their_border() {
    // Two regions whose common border has a corner of 50 m, and one of 20 km.
    let border = [(0, 0), (10 * KM + KM / 20, 10 * KM), (20 * KM, 20 * KM), (0, 30 * KM)];
    let mut west = vec![(-20 * KM, 30 * KM), (-20 * KM, 0)];
    west.extend(border);
    let mut east: Vec<Point> = border.iter().rev().copied().collect();
    east.extend([(40 * KM, 0), (40 * KM, 30 * KM)]);
    let simple =
        simplify(&geodata(vec![region("XX001", &[&west]), region("XX002", &[&east])]), 2e3);
    let sides = sides(&simple);
    let shared: Vec<_> = sides.iter().filter(|(_, count)| **count == 2).collect();
    assert_eq!(shared.len(), 2, "{sides:?}");
    assert!(sides.contains_key(&((0, 0), (20 * KM, 20 * KM))), "{sides:?}");
}

#[test]
fn what_is_small_stays_as_a_triangle_and_encloses_the_same() {
    // An enclave of 500 m within a region, and a thin island that two regions share.
    let outer = [(0, 0), (9 * KM, 0), (9 * KM, 9 * KM), (0, 9 * KM)];
    let hole = [(KM, KM), (KM + KM / 2, KM), (KM + KM / 2, KM + KM / 2), (KM, KM + KM / 2)];
    let back: Vec<Point> = hole.iter().rev().copied().collect();
    let north = [(20 * KM, 0), (22 * KM, KM / 9), (24 * KM, 0), (23 * KM, KM / 50)];
    let south = [(24 * KM, 0), (22 * KM, -KM / 9), (20 * KM, 0), (23 * KM, KM / 50)];
    let regions = vec![
        region("XX001", &[&outer, &back]),
        region("XX002", &[&hole]),
        region("XX003", &[&north]),
        region("XX004", &[&south]),
    ];
    let simple = simplify(&geodata(regions), 2e3);
    assert_eq!(crossings(&simple), 0);
    for region in &simple.regions {
        assert!(region.shapes.iter().flatten().all(|ring| ring.len() >= 3), "{region:?}");
        assert!(!region.shapes[0].is_empty(), "{region:?}");
    }
    assert_eq!(simple.regions[0].shapes[0][1].len(), 3);
    // Every side of the enclave is a side of the hole.
    let enclave = sides(&geodata(vec![simple.regions[1].clone()]));
    let all = sides(&simple);
    assert!(enclave.keys().all(|side| all[side] == 2), "{all:?}");
}

#[test]
fn borders_that_come_near_each_other_do_not_cross() {
    // A bay 30 m wide that reaches into a region; the corner at its mouth is small.
    let coast = [
        (0, 0),
        (50 * KM, 0),
        (50 * KM, 20 * KM),
        (25 * KM, 20 * KM),
        (25 * KM, 19 * KM + KM / 2),
        (25 * KM - 3, 20 * KM),
        (0, 20 * KM),
    ];
    let island =
        [(25 * KM - 2, 20 * KM - 9), (25 * KM - 1, 20 * KM - 9), (25 * KM - 1, 20 * KM - 6)];
    let simple =
        simplify(&geodata(vec![region("XX001", &[&coast]), region("XX002", &[&island])]), 2e3);
    assert_eq!(crossings(&simple), 0, "{simple:?}");
}

#[cfg(feature = "germany")]
#[test]
fn germany_has_no_gap_and_no_overlap() {
    let full = crate::embedded().unwrap().geodata();
    assert_eq!(crossings(full), 0);
    let simple = simplify(full, 2e3);
    let corners = |geodata: &Geodata| sides(geodata).len();
    let (before, after) = (corners(full), corners(&simple));
    assert!(after * 2 < before, "{before} sides become {after}");
    assert_eq!(crossings(&simple), 0);
    assert!(sides(&simple).values().all(|count| *count <= 2));
    // As many borders are shared by two as there are pairs of neighbours; nobody lost a neighbour.
    let neighbours = |geodata: &Geodata| {
        let mut of_side: HashMap<(Point, Point), Vec<usize>> = HashMap::new();
        for (at, region) in geodata.regions.iter().enumerate() {
            let one = Geodata { provenance: Provenance::default(), regions: vec![region.clone()] };
            for side in sides(&one).into_keys() {
                of_side.entry(side).or_default().push(at);
            }
        }
        of_side.into_values().filter(|of| of.len() == 2).collect::<HashSet<_>>()
    };
    assert_eq!(neighbours(full), neighbours(&simple));
    let lookup = crate::Regions::new(simple).unwrap();
    let near = crate::Position::new(50.0782, 8.2398).unwrap();
    assert_eq!(lookup.at(near).unwrap().code().as_str(), "DE714");
}
