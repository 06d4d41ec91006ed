//! Simplifies the borders of regions so that neighbours still share them.
//!
//! Enters: [`Geodata`], a tolerance. Leaves: the same with fewer corners. Absent: pictures.
//!
//! A border that two regions share is taken once: rings are cut into arcs at the corners where other
//! than two borders meet, and arcs that are the same in both directions are one. Each arc is
//! simplified by itself (Visvalingam and Whyatt: the corner whose triangle with its neighbours has
//! the least area goes first), so that no gap and no overlap appears. A corner stays if another one
//! lies in its triangle, since borders would cross there, or if nothing would be left between two
//! arcs with the same ends.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet, hash_map::Entry},
};

use crate::geodata::{Geodata, RegionData, Ring, Vertex};

/// Metres of a degree of latitude, good enough for areas of triangles.
const DEGREE_M: f64 = 111_200.0;
/// The size of a cell in which corners are looked up, as a power of two of 1e-7°: 7 km by 5 km.
const CELL: u32 = 16;

/// A place, ordered.
type Point = (i32, i32);

/// The same regions with borders that are simplified by so many metres: a corner goes if its triangle
/// is smaller than a square of that size. Regions that are smaller than that stay as triangles.
#[must_use]
pub fn simplify(geodata: &Geodata, metres: f64) -> Geodata {
    let rings: Vec<Vec<Point>> = geodata
        .regions
        .iter()
        .flat_map(|region| region.shapes.iter().flatten())
        .map(points)
        .collect();
    let (arcs, cut) = cut(&rings);
    let kept = Simplifier::new(&arcs, &rings).run(metres * metres);
    let mut rings = cut.into_iter().map(|parts| join(&parts, &kept));
    let mut next = || rings.next().unwrap_or_default();
    let region = |region: &RegionData| RegionData {
        code: region.code,
        name: region.name.clone(),
        density: region.density,
        shapes: region
            .shapes
            .iter()
            .map(|shape| shape.iter().map(|_| next()).filter(|ring| ring.len() > 2).collect())
            .collect(),
    };
    let regions = geodata.regions.iter().map(region).collect();
    Geodata { provenance: geodata.provenance.clone(), regions }
}

/// A ring's corners, each different from the one before.
fn points(ring: &Ring) -> Vec<Point> {
    let mut points: Vec<Point> = ring.iter().map(|vertex| (vertex.x, vertex.y)).collect();
    points.dedup();
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    points
}

/// A part of a ring: an arc, and whether it is gone backwards.
type Part = (usize, bool);

/// The arcs of all rings, each once, with both ends; and each ring as arcs.
fn cut(rings: &[Vec<Point>]) -> (Vec<Vec<Point>>, Vec<Vec<Part>>) {
    let nodes = nodes(rings);
    let (mut arcs, mut known) = (Vec::new(), HashMap::new());
    let mut add = |points: Vec<Point>| -> Part {
        let (points, backwards) = in_order(points);
        let index = match known.entry(points) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                arcs.push(new.key().clone());
                *new.insert(arcs.len() - 1)
            }
        };
        (index, backwards)
    };
    let cut = rings.iter().map(|ring| {
        // A ring without any such corner begins at its least one, whoever has it.
        let least = || (0..ring.len()).min_by_key(|&at| ring[at]);
        let Some(first) = ring.iter().position(|point| nodes.contains(point)).or_else(least) else {
            return Vec::new();
        };
        let mut parts = Vec::new();
        let mut arc = vec![ring[first]];
        for step in 1..=ring.len() {
            let point = ring[(first + step) % ring.len()];
            arc.push(point);
            if step == ring.len() || nodes.contains(&point) {
                parts.push(add(std::mem::replace(&mut arc, vec![point])));
            }
        }
        parts
    });
    let cut = cut.collect();
    (arcs, cut)
}

/// The corners where other than two borders meet.
fn nodes(rings: &[Vec<Point>]) -> HashSet<Point> {
    let mut neighbours: HashMap<Point, [Option<Point>; 2]> = HashMap::new();
    let mut nodes = HashSet::new();
    for ring in rings {
        for (at, &point) in ring.iter().enumerate() {
            let before = ring[(at + ring.len() - 1) % ring.len()];
            let after = ring[(at + 1) % ring.len()];
            let known = neighbours.entry(point).or_default();
            for other in [before, after] {
                match known.iter_mut().find(|known| known.is_none_or(|known| known == other)) {
                    Some(known) => *known = Some(other),
                    None => drop(nodes.insert(point)),
                }
            }
        }
    }
    nodes
}

/// The same arc in the direction that both of its regions find, and whether that is backwards.
fn in_order(points: Vec<Point>) -> (Vec<Point>, bool) {
    let backwards: Vec<Point> = points.iter().rev().copied().collect();
    if backwards < points { (backwards, true) } else { (points, false) }
}

/// A ring of its arcs.
fn join(parts: &[Part], arcs: &[Vec<Point>]) -> Ring {
    let mut ring = Ring::new();
    for (arc, backwards) in parts {
        let arc = &arcs[*arc];
        let vertex = |&(x, y): &Point| Vertex { x, y };
        // The last one is the next arc's first.
        match backwards {
            false => ring.extend(arc[..arc.len() - 1].iter().map(vertex)),
            true => ring.extend(arc[1..].iter().rev().map(vertex)),
        }
    }
    ring
}

/// Takes corners away while they are small enough.
struct Simplifier<'a> {
    arcs: &'a [Vec<Point>],
    /// Of each arc, the corner before and after each corner that is left.
    links: Vec<Vec<(usize, usize)>>,
    /// How many corners each arc has left between its ends.
    left: Vec<usize>,
    /// How many arcs between two ends are straight.
    straight: HashMap<(Point, Point), usize>,
    /// All corners that are left, by their cells.
    cells: HashMap<(i32, i32), Vec<Point>>,
    /// The cosine of the middle latitude.
    shrink: f64,
}

/// A corner that may go: its area (of a square metre), arc, place in it, and those beside it then.
type Candidate = Reverse<(u64, usize, usize, usize, usize)>;

impl<'a> Simplifier<'a> {
    fn new(arcs: &'a [Vec<Point>], rings: &[Vec<Point>]) -> Self {
        let mut cells: HashMap<(i32, i32), Vec<Point>> = HashMap::new();
        let (mut south, mut north) = (i32::MAX, i32::MIN);
        let all: BTreeMap<Point, ()> = rings.iter().flatten().map(|point| (*point, ())).collect();
        for (point, ()) in all {
            cells.entry(cell(point)).or_default().push(point);
            (south, north) = (south.min(point.1), north.max(point.1));
        }
        let middle = (f64::from(south) + f64::from(north)) / 2e7;
        let mut straight = HashMap::new();
        for arc in arcs.iter().filter(|arc| arc.len() == 2) {
            *straight.entry(ends(arc)).or_default() += 1;
        }
        Self {
            arcs,
            links: arcs
                .iter()
                .map(|arc| (0..arc.len()).map(|at| (at.saturating_sub(1), at + 1)).collect())
                .collect(),
            left: arcs.iter().map(|arc| arc.len().saturating_sub(2)).collect(),
            straight,
            cells,
            shrink: middle.to_radians().cos(),
        }
    }

    /// What is left of each arc when no corner with an area below that (square metres) can go.
    fn run(mut self, area: f64) -> Vec<Vec<Point>> {
        let mut waiting: BinaryHeap<Candidate> = BinaryHeap::new();
        for (arc, points) in self.arcs.iter().enumerate() {
            waiting.extend((1..points.len().saturating_sub(1)).map(|at| self.candidate(arc, at)));
        }
        while let Some(Reverse((size, arc, at, before, after))) = waiting.pop() {
            if size as f64 >= area {
                break;
            }
            // Known by another triangle since.
            if self.links[arc][at] != (before, after) || !self.may_go(arc, at) {
                continue;
            }
            self.take_away(arc, at);
            for beside in [before, after] {
                if beside != 0 && beside != self.arcs[arc].len() - 1 {
                    waiting.push(self.candidate(arc, beside));
                }
            }
        }
        self.arcs.iter().enumerate().map(|(arc, points)| self.rest(arc, points)).collect()
    }

    fn rest(&self, arc: usize, points: &[Point]) -> Vec<Point> {
        let mut rest = Vec::with_capacity(self.left[arc] + 2);
        let mut at = 0;
        while let Some(point) = points.get(at) {
            rest.push(*point);
            at = self.links[arc][at].1;
        }
        rest
    }

    fn candidate(&self, arc: usize, at: usize) -> Candidate {
        let (before, after) = self.links[arc][at];
        let [a, b, c] = self.triangle(arc, at);
        let metres = |from: Point, to: Point| {
            let east = (f64::from(to.0) - f64::from(from.0)) * 1e-7 * DEGREE_M * self.shrink;
            (east, (f64::from(to.1) - f64::from(from.1)) * 1e-7 * DEGREE_M)
        };
        let ((x1, y1), (x2, y2)) = (metres(a, b), metres(a, c));
        let size = ((x1 * y2 - x2 * y1) / 2.0).abs() as u64;
        Reverse((size, arc, at, before, after))
    }

    fn triangle(&self, arc: usize, at: usize) -> [Point; 3] {
        let (points, (before, after)) = (&self.arcs[arc], self.links[arc][at]);
        [points[before], points[at], points[after]]
    }

    fn may_go(&self, arc: usize, at: usize) -> bool {
        let points = &self.arcs[arc];
        let ends = ends(points);
        let enough = match ends.0 == ends.1 {
            // What encloses an area keeps three corners.
            true => self.left[arc] > 2,
            false => self.left[arc] > 1 || !self.straight.contains_key(&ends),
        };
        let triangle = self.triangle(arc, at);
        let [a, _, c] = triangle;
        enough && a != c && !self.is_occupied(triangle)
    }

    /// Whether a corner that is none of its own lies in a triangle or on its sides.
    fn is_occupied(&self, triangle: [Point; 3]) -> bool {
        let [a, b, c] = triangle;
        let (west, east) = (a.0.min(b.0).min(c.0), a.0.max(b.0).max(c.0));
        let (south, north) = (a.1.min(b.1).min(c.1), a.1.max(b.1).max(c.1));
        let (low, high) = (cell((west, south)), cell((east, north)));
        let within = |point: &Point| {
            (west..=east).contains(&point.0)
                && (south..=north).contains(&point.1)
                && !triangle.contains(point)
                && contains(triangle, *point)
        };
        (low.0..=high.0).any(|x| {
            (low.1..=high.1)
                .any(|y| self.cells.get(&(x, y)).is_some_and(|points| points.iter().any(within)))
        })
    }

    fn take_away(&mut self, arc: usize, at: usize) {
        let points = &self.arcs[arc];
        let (before, after) = self.links[arc][at];
        self.links[arc][before].1 = after;
        self.links[arc][after].0 = before;
        self.links[arc][at] = (at, at);
        self.left[arc] -= 1;
        if self.left[arc] == 0 {
            *self.straight.entry(ends(points)).or_default() += 1;
        }
        if let Some(cell) = self.cells.get_mut(&cell(points[at])) {
            cell.retain(|point| *point != points[at]);
        }
    }
}

/// Both ends, whichever way it is gone.
fn ends(arc: &[Point]) -> (Point, Point) {
    let (first, last) = (arc.first().copied(), arc.last().copied());
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    (first.min(last), first.max(last))
}

fn cell((x, y): Point) -> (i32, i32) {
    (x >> CELL, y >> CELL)
}

/// Twice the area of a triangle, above zero if it is counter-clockwise.
fn turn(a: Point, b: Point, c: Point) -> i128 {
    let wide = i128::from;
    (wide(b.0) - wide(a.0)) * (wide(c.1) - wide(a.1))
        - (wide(c.0) - wide(a.0)) * (wide(b.1) - wide(a.1))
}

/// Whether a point lies in a triangle or on its sides.
fn contains([a, b, c]: [Point; 3], point: Point) -> bool {
    let turns = [turn(a, b, point), turn(b, c, point), turn(c, a, point)];
    turns.iter().all(|turn| *turn >= 0) || turns.iter().all(|turn| *turn <= 0)
}

#[cfg(test)]
mod tests;
