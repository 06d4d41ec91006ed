//! The lookup: a grid whose cells mostly lie in one region, and rays through the borders in the
//! rest.
//!
//! Enters: rings in whole steps of 1e-7°. Leaves: the number of a region. Absent: names, densities.
//!
//! A cell that no border touches has its answer. In the others each shape that touches it is asked
//! in turn by the even-odd rule: does a ray to the east cross its borders an odd number of times?
//! The borders lie sorted into the grid's rows, so that a ray meets a handful of them. An edge
//! counts from its lower end (included) to its upper end (not included) and where the point is
//! strictly left of it; two shapes that share an edge therefore never both own a point, nor neither.

use std::ops::Range;

use crate::geodata::{Ring, Vertex};

/// Rows and columns of the grid: 262,144 cells of 1 MiB, for Germany about 1.7 km by 1.3 km each.
const SIDE: usize = 512;

/// Cells' answers: outside, a shape's number, or (from here on) a list's.
const OUTSIDE: u32 = u32::MAX;
const LISTS: u32 = 1 << 31;

/// A border that rises from south to north.
#[derive(Clone, Copy)]
struct Edge {
    x0: i32,
    y0: i32,
    x1: i32,
    y1: i32,
}

impl Edge {
    /// None for an edge along a parallel, which no ray crosses.
    fn new(a: Vertex, b: Vertex) -> Option<Self> {
        match a.y.cmp(&b.y) {
            std::cmp::Ordering::Less => Some(Self { x0: a.x, y0: a.y, x1: b.x, y1: b.y }),
            std::cmp::Ordering::Greater => Some(Self { x0: b.x, y0: b.y, x1: a.x, y1: a.y }),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// Whether a ray to the east from (x, y) crosses it.
    fn crossed(self, x: i32, y: i32) -> bool {
        if y < self.y0 || y >= self.y1 || x >= self.x0.max(self.x1) {
            return false;
        }
        // Differences of 32-bit numbers take 33 bits and their products 66.
        let wide = i128::from;
        x < self.x0.min(self.x1)
            || (wide(self.x1) - wide(self.x0)) * (wide(y) - wide(self.y0))
                > (wide(x) - wide(self.x0)) * (wide(self.y1) - wide(self.y0))
    }
}

/// One record's rings.
struct Shape {
    region: u16,
    /// The grid's rows that it lies in.
    rows: Range<usize>,
    /// Where in `bands` its rows begin, one more than there are rows.
    first_band: usize,
}

pub struct Index {
    grid: Grid,
    cells: Vec<u32>,
    /// Shapes' numbers, per list; `lists` says from where to where.
    listed: Vec<u32>,
    lists: Vec<(u32, u32)>,
    shapes: Vec<Shape>,
    /// Where in `edges` each row of each shape begins.
    bands: Vec<u32>,
    edges: Vec<Edge>,
}

/// How positions fall into cells.
#[derive(Clone, Copy)]
struct Grid {
    west: i32,
    south: i32,
    /// A cell's size in steps.
    width: u32,
    height: u32,
}

impl Grid {
    fn around(vertices: impl Iterator<Item = Vertex>) -> Self {
        let (mut west, mut south, mut east, mut north) = (i32::MAX, i32::MAX, i32::MIN, i32::MIN);
        for vertex in vertices {
            (west, east) = (west.min(vertex.x), east.max(vertex.x));
            (south, north) = (south.min(vertex.y), north.max(vertex.y));
        }
        let size = |from: i32, to: i32| {
            if from > to { 1 } else { from.abs_diff(to) / SIDE as u32 + 1 }
        };
        Self { west, south, width: size(west, east), height: size(south, north) }
    }

    fn column(self, x: i32) -> usize {
        (x.abs_diff(self.west) / self.width) as usize
    }

    fn row(self, y: i32) -> usize {
        (y.abs_diff(self.south) / self.height) as usize
    }
}

impl Index {
    /// Where shapes overlap, the earlier one wins.
    pub fn new<'a>(shapes: impl Iterator<Item = (u16, &'a [Ring])> + Clone) -> Self {
        let grid =
            Grid::around(shapes.clone().flat_map(|(_, rings)| rings.iter().flatten().copied()));
        let mut index = Self {
            grid,
            cells: vec![OUTSIDE; SIDE * SIDE],
            listed: Vec::new(),
            lists: Vec::new(),
            shapes: Vec::new(),
            bands: Vec::new(),
            edges: Vec::new(),
        };
        let mut borders = Vec::new();
        let mut stamps = vec![OUTSIDE; SIDE * SIDE];
        for (number, (region, rings)) in shapes.enumerate() {
            index.add_shape(region, rings);
            let before = borders.len();
            for edge in edges_of(rings) {
                grid.touch(edge, |cell| {
                    if stamps[cell] != number as u32 {
                        stamps[cell] = number as u32;
                        borders.push((cell as u32, number as u32));
                    }
                });
            }
            index.fill(number, &mut borders, before, &stamps);
        }
        index.list(&borders);
        index
    }

    /// The region at a point, if any.
    pub fn find(&self, x: i32, y: i32) -> Option<u16> {
        if x < self.grid.west || y < self.grid.south {
            return None;
        }
        let (column, row) = (self.grid.column(x), self.grid.row(y));
        if column >= SIDE || row >= SIDE {
            return None;
        }
        match self.cells[row * SIDE + column] {
            OUTSIDE => None,
            list @ LISTS.. => {
                let (from, to) = self.lists[(list - LISTS) as usize];
                self.listed[from as usize..to as usize]
                    .iter()
                    .map(|&shape| &self.shapes[shape as usize])
                    .find(|shape| self.holds(shape, row, x, y))
                    .map(|shape| shape.region)
            }
            shape => Some(self.shapes[shape as usize].region),
        }
    }

    /// The even-odd rule.
    fn holds(&self, shape: &Shape, row: usize, x: i32, y: i32) -> bool {
        if !shape.rows.contains(&row) {
            return false;
        }
        let band = shape.first_band + row - shape.rows.start;
        self.edges[self.bands[band] as usize..self.bands[band + 1] as usize]
            .iter()
            .fold(false, |inside, edge| inside ^ edge.crossed(x, y))
    }

    /// Sorts a shape's edges into the rows that they pass.
    fn add_shape(&mut self, region: u16, rings: &[Ring]) {
        let rows_of = |edge: Edge| self.grid.row(edge.y0)..self.grid.row(edge.y1) + 1;
        let rising = || rings.iter().flat_map(sides).filter_map(|(a, b)| Edge::new(a, b));
        let rows = rising().map(rows_of).reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
        let rows = rows.unwrap_or(0..0);
        let mut ends = vec![0_u32; rows.len() + 1];
        for edge in rising() {
            for row in rows_of(edge) {
                ends[row - rows.start + 1] += 1;
            }
        }
        let base = self.edges.len() as u32;
        ends[0] = base;
        for row in 0..rows.len() {
            ends[row + 1] += ends[row];
        }
        let mut free = ends.clone();
        let blank = Edge { x0: 0, y0: 0, x1: 0, y1: 0 };
        self.edges.resize(ends[rows.len()] as usize, blank);
        for edge in rising() {
            for row in rows_of(edge) {
                let at = &mut free[row - rows.start];
                self.edges[*at as usize] = edge;
                *at += 1;
            }
        }
        self.shapes.push(Shape { region, rows, first_band: self.bands.len() });
        self.bands.extend(ends);
    }

    /// Gives the shape the cells that lie within it and that its border does not touch. A cell
    /// that another shape has already is left to the list, so that the earlier one is asked first.
    fn fill(
        &mut self,
        number: usize,
        borders: &mut Vec<(u32, u32)>,
        before: usize,
        stamps: &[u32],
    ) {
        let shape = &self.shapes[number];
        // Columns that the border reaches, per row.
        let mut reach = vec![(SIDE, 0); shape.rows.len()];
        for &(cell, _) in &borders[before..] {
            let (row, column) = (cell as usize / SIDE, cell as usize % SIDE);
            if let Some(at) = row.checked_sub(shape.rows.start).and_then(|row| reach.get_mut(row)) {
                *at = (at.0.min(column), at.1.max(column));
            }
        }
        for (row, (west, east)) in shape.rows.clone().zip(reach) {
            let mut known = None;
            for column in west..=east.max(west).min(SIDE - 1) {
                let cell = row * SIDE + column;
                if stamps[cell] == number as u32 {
                    known = None;
                    continue;
                }
                let inside = *known.get_or_insert_with(|| {
                    let x =
                        i64::from(self.grid.west) + (column as i64) * i64::from(self.grid.width);
                    let y = i64::from(self.grid.south) + (row as i64) * i64::from(self.grid.height);
                    self.holds(shape, row, x as i32, y as i32)
                });
                if inside {
                    if self.cells[cell] == OUTSIDE {
                        self.cells[cell] = number as u32;
                    } else {
                        borders.push((cell as u32, number as u32));
                    }
                }
            }
        }
    }

    /// Makes the lists of the cells that borders touch.
    fn list(&mut self, borders: &[(u32, u32)]) {
        let mut counts = vec![0_u32; SIDE * SIDE + 1];
        for &(cell, _) in borders {
            counts[cell as usize] += 1;
        }
        let mut end = 0;
        for (cell, count) in counts.iter_mut().take(SIDE * SIDE).enumerate() {
            if *count == 0 {
                continue;
            }
            let from = end;
            let whole = self.cells[cell];
            end += *count + u32::from(whole != OUTSIDE);
            *count = from;
            self.cells[cell] = LISTS + self.lists.len() as u32;
            self.lists.push((from, end));
            self.listed.resize(end as usize, OUTSIDE);
            if whole != OUTSIDE {
                self.listed[from as usize] = whole;
                *count += 1;
            }
        }
        for &(cell, shape) in borders {
            let at = &mut counts[cell as usize];
            self.listed[*at as usize] = shape;
            *at += 1;
        }
        for &(from, to) in &self.lists {
            self.listed[from as usize..to as usize].sort_unstable();
        }
    }
}

impl Grid {
    /// Calls `each` with every cell that the edge touches, and perhaps some beside it.
    fn touch(self, (a, b): (Vertex, Vertex), mut each: impl FnMut(usize)) {
        let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
        let slope = (f64::from(high.x) - f64::from(low.x))
            / (f64::from(high.y) - f64::from(low.y)).max(1.0);
        let (west, east) = (a.x.min(b.x), a.x.max(b.x));
        for row in self.row(low.y)..=self.row(high.y) {
            let south = f64::from(self.south) + row as f64 * f64::from(self.height);
            let x_at = |y: f64| f64::from(low.x) + slope * (y - f64::from(low.y));
            let ends = if low.y == high.y {
                (f64::from(west), f64::from(east))
            } else {
                let from = x_at(south.max(f64::from(low.y)));
                let to = x_at((south + f64::from(self.height)).min(f64::from(high.y)));
                (from.min(to), from.max(to))
            };
            // Two steps of slack for the rounding of the crossings.
            let from = ((ends.0 - 2.0) as i32).clamp(west, east);
            let to = ((ends.1 + 2.0) as i32).clamp(west, east);
            for column in self.column(from)..=self.column(to) {
                each(row * SIDE + column);
            }
        }
    }
}

/// A ring's sides, the one that closes it included.
fn sides(ring: &Ring) -> impl Iterator<Item = (Vertex, Vertex)> + Clone {
    let next = ring.iter().cycle().skip(1);
    ring.iter().copied().zip(next.copied())
}

/// All sides of all rings.
fn edges_of(rings: &[Ring]) -> impl Iterator<Item = (Vertex, Vertex)> {
    rings.iter().flat_map(sides)
}
