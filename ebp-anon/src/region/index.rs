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

/// The grid has at most so many rows and so many columns. A cell's sides are powers of two, so that
/// finding it takes no division: 2¹⁸ steps in Germany, 2.9 km by 1.8 km, and 104,000 cells.
const SIDE: u32 = 512;

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
struct IndexedPolygon {
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
    shapes: Vec<IndexedPolygon>,
    /// Where in `edges` each row of each shape begins.
    bands: Vec<u32>,
    edges: Vec<Edge>,
}

/// How positions fall into cells.
#[derive(Clone, Copy)]
struct Grid {
    west: i32,
    south: i32,
    columns: usize,
    rows: usize,
    /// A cell's size in steps, as a power of two.
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
        let span = |from: i32, to: i32| if from > to { 0 } else { from.abs_diff(to) };
        let size = |span: u32| (0..32).find(|size| span >> size < SIDE).unwrap_or(31);
        let (wide, high) = (span(west, east), span(south, north));
        let (width, height) = (size(wide), size(high));
        let count = |span: u32, size: u32| (span >> size) as usize + 1;
        Self { west, south, columns: count(wide, width), rows: count(high, height), width, height }
    }

    fn column(self, x: i32) -> usize {
        (x.abs_diff(self.west) >> self.width) as usize
    }

    fn row(self, y: i32) -> usize {
        (y.abs_diff(self.south) >> self.height) as usize
    }

    fn cell(self, row: usize, column: usize) -> usize {
        row * self.columns + column
    }

    fn cells(self) -> usize {
        self.rows * self.columns
    }

    /// The south-western corner of a cell within the grid.
    fn corner(self, row: usize, column: usize) -> (i32, i32) {
        let corner = |from: i32, cells: usize, size: u32| {
            from.saturating_add_unsigned((cells as u32) << size)
        };
        (corner(self.west, column, self.width), corner(self.south, row, self.height))
    }
}

/// The cells around a shape, and which of them its border touches.
struct Marks {
    rows: Range<usize>,
    columns: Range<usize>,
    marks: Vec<bool>,
}

impl Marks {
    fn around(grid: Grid, rings: &[Ring]) -> Self {
        let cells = || rings.iter().flatten().map(|at| (grid.row(at.y), grid.column(at.x)));
        let span = |of: fn((usize, usize)) -> usize| {
            let ends = cells().map(of).map(|at| at..at + 1);
            ends.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0)
        };
        let (rows, columns) = (span(|(row, _)| row), span(|(_, column)| column));
        let marks = vec![false; rows.len() * columns.len()];
        Self { rows, columns, marks }
    }

    fn at(&self, row: usize, column: usize) -> usize {
        (row - self.rows.start) * self.columns.len() + column - self.columns.start
    }

    fn set(&mut self, row: usize, columns: Range<usize>) {
        let from = self.at(row, columns.start);
        self.marks[from..from + columns.len()].fill(true);
    }

    fn get(&self, row: usize, column: usize) -> bool {
        self.marks[self.at(row, column)]
    }
}

impl Index {
    /// Where shapes overlap, the earlier one wins.
    pub fn new<'a>(shapes: impl Iterator<Item = (u16, &'a [Ring])> + Clone) -> Self {
        let grid =
            Grid::around(shapes.clone().flat_map(|(_, rings)| rings.iter().flatten().copied()));
        let mut index = Self {
            grid,
            cells: vec![OUTSIDE; grid.cells()],
            listed: Vec::new(),
            lists: Vec::new(),
            shapes: Vec::new(),
            bands: Vec::new(),
            edges: Vec::new(),
        };
        let mut borders = Vec::new();
        for (number, (region, rings)) in shapes.enumerate() {
            index.add_shape(region, rings);
            let mut marks = Marks::around(grid, rings);
            for side in edges_of(rings) {
                grid.touch(side, |row, columns| marks.set(row, columns));
            }
            index.fill(number, &marks, &mut borders);
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
        if column >= self.grid.columns || row >= self.grid.rows {
            return None;
        }
        match self.cells[self.grid.cell(row, column)] {
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
    fn holds(&self, shape: &IndexedPolygon, row: usize, x: i32, y: i32) -> bool {
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
        self.shapes.push(IndexedPolygon { region, rows, first_band: self.bands.len() });
        self.bands.extend(ends);
    }

    /// Gives the shape the cells that lie within it and that its border does not touch. The others,
    /// and those that another shape has already, are left to the list.
    fn fill(&mut self, number: usize, marks: &Marks, borders: &mut Vec<(u32, u32)>) {
        let shape = &self.shapes[number];
        for row in marks.rows.clone() {
            // What holds for a cell holds for its neighbour, as long as no border is between.
            let mut known = None;
            for column in marks.columns.clone() {
                let cell = self.grid.cell(row, column);
                if marks.get(row, column) {
                    known = None;
                    borders.push((cell as u32, number as u32));
                    continue;
                }
                let inside = *known.get_or_insert_with(|| {
                    let (x, y) = self.grid.corner(row, column);
                    self.holds(shape, row, x, y)
                });
                if inside && self.cells[cell] == OUTSIDE {
                    self.cells[cell] = number as u32;
                } else if inside {
                    borders.push((cell as u32, number as u32));
                }
            }
        }
    }

    /// Makes the lists of the cells that borders touch.
    fn list(&mut self, borders: &[(u32, u32)]) {
        let mut counts = vec![0_u32; self.cells.len()];
        for &(cell, _) in borders {
            counts[cell as usize] += 1;
        }
        let mut end = 0;
        for (cell, count) in counts.iter_mut().enumerate() {
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
    /// Calls `each` with every row and its columns that the edge touches, and perhaps some beside.
    fn touch(self, (a, b): (Vertex, Vertex), mut each: impl FnMut(usize, Range<usize>)) {
        let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
        let (west, east) = (a.x.min(b.x), a.x.max(b.x));
        let rows = self.row(low.y)..self.row(high.y) + 1;
        // Most edges are short, and nothing has to be cut.
        if rows.len() == 1 {
            return each(rows.start, self.column(west)..self.column(east) + 1);
        }
        let slope = (f64::from(high.x) - f64::from(low.x)) / (f64::from(high.y) - f64::from(low.y));
        for row in rows {
            let south = f64::from(self.corner(row, 0).1);
            let x_at = |y: f64| f64::from(low.x) + slope * (y - f64::from(low.y));
            let from = x_at(south.max(f64::from(low.y)));
            let to = x_at((south + f64::from(1_u32 << self.height)).min(f64::from(high.y)));
            let ends = (from.min(to), from.max(to));
            // Two steps of slack for the rounding of the crossings.
            let from = ((ends.0 - 2.0) as i32).clamp(west, east);
            let to = ((ends.1 + 2.0) as i32).clamp(west, east);
            each(row, self.column(from)..self.column(to) + 1);
        }
    }
}

/// A ring's sides, the one that closes it included.
fn sides(ring: &Ring) -> impl Iterator<Item = (Vertex, Vertex)> {
    let closing = ring.last().copied().zip(ring.first().copied());
    ring.windows(2).map(|side| (side[0], side[1])).chain(closing)
}

/// All sides of all rings.
fn edges_of(rings: &[Ring]) -> impl Iterator<Item = (Vertex, Vertex)> {
    rings.iter().flat_map(sides)
}
