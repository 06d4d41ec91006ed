//! The outlines of regions as pictures for pages: all of them, or one in detail.
//!
//! Enters: regions. Leaves: SVG without any script or style, so that it can stand in a page with a
//! strict policy: colours are attributes, which a page's own style overrules. Absent: households.
//!
//! Parallels and meridians are straight, so that a page places a marker by `data-west`,
//! `data-north`, and the units of a degree (`data-east-unit`, `data-south-unit`).

use std::fmt::Write;

use crate::{
    Position, RegionCode, Regions,
    coverage::simplify,
    geodata::{Geodata, Provenance, RegionData, Vertex},
};

/// By how much the borders of all regions are simplified, metres.
const TOLERANCE_M: f64 = 2_000.0;
/// The unit of a picture of all regions, and of one region, metres.
const ALL_UNIT_M: f64 = 400.0;
const ONE_UNIT_M: f64 = 10.0;
/// Metres of a degree of latitude.
const DEGREE_M: f64 = 111_200.0;

/// All regions, each a path with its code as `id` and its name as title. Borders are simplified by
/// 2 km, and neighbours share them.
#[must_use]
pub fn all(regions: &Regions) -> String {
    all_with(regions, &[])
}

/// All regions with points over them, which are circles of the class `masked`: released positions
/// alone, since whoever has the picture sees them.
#[must_use]
pub fn all_with(regions: &Regions, released: &[Position]) -> String {
    let geodata = simplify(regions.geodata(), TOLERANCE_M);
    draw(&geodata, regions.provenance(), ALL_UNIT_M, released)
}

/// One region with all of its corners; none if there is none of that code.
#[must_use]
pub fn one(regions: &Regions, code: RegionCode) -> Option<String> {
    let region = regions.geodata().regions.iter().find(|region| region.code == code)?;
    let geodata = Geodata { provenance: Provenance::default(), regions: vec![region.clone()] };
    Some(draw(&geodata, regions.provenance(), ONE_UNIT_M, &[]))
}

fn draw(geodata: &Geodata, provenance: &Provenance, unit_m: f64, released: &[Position]) -> String {
    let frame = Frame::around(geodata, unit_m);
    let (width, height) = (frame.width, frame.height);
    let line = (height / 40).max(1);
    let notices = provenance.notices.len() as i64;
    let mut svg = String::new();
    // A `String` takes all that is written.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {width} {}\" \
         data-west=\"{}\" data-north=\"{}\" data-east-unit=\"{:.3}\" data-south-unit=\"{:.3}\">",
        height + line * (notices + 1),
        f64::from(frame.west) / 1e7,
        f64::from(frame.north) / 1e7,
        frame.east,
        frame.south,
    );
    svg.push_str("<g fill=\"#f4f1e8\" stroke=\"#8a8a8a\" fill-rule=\"evenodd\">\n");
    for region in &geodata.regions {
        let _ = write!(svg, "<path id=\"{}\" d=\"", region.code);
        frame.path(region, &mut svg);
        let _ = writeln!(svg, "\"><title>{}</title></path>", escape(&region.name));
    }
    svg.push_str("</g>");
    for position in released {
        let place = |degrees: f64| (degrees * 1e7).round() as i32;
        let vertex = Vertex { x: place(position.longitude()), y: place(position.latitude()) };
        let ((x, y), radius) = (frame.unit(vertex), (height / 150).max(2));
        let _ = writeln!(
            svg,
            "<circle class=\"masked\" fill=\"#1f5fbf\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"
        );
    }
    let _ = write!(
        svg,
        "<g fill=\"#595959\" font-family=\"sans-serif\" font-size=\"{}\">",
        line * 2 / 3
    );
    for (place, notice) in (1..).zip(&provenance.notices) {
        let _ =
            write!(svg, "<text x=\"0\" y=\"{}\">{}</text>", height + line * place, escape(notice));
    }
    svg.push_str("</g></svg>\n");
    svg
}

/// Degrees to whole units of a picture.
struct Frame {
    west: i32,
    north: i32,
    /// Units of a degree to the east and to the south.
    east: f64,
    south: f64,
    width: i64,
    height: i64,
}

impl Frame {
    fn around(geodata: &Geodata, unit_m: f64) -> Self {
        let (mut west, mut south, mut east, mut north) = (i32::MAX, i32::MAX, i32::MIN, i32::MIN);
        for vertex in
            geodata.regions.iter().flat_map(|region| region.shapes.iter().flatten().flatten())
        {
            (west, east) = (west.min(vertex.x), east.max(vertex.x));
            (south, north) = (south.min(vertex.y), north.max(vertex.y));
        }
        if west > east {
            (west, south, east, north) = (0, 0, 0, 0);
        }
        let down = DEGREE_M / unit_m;
        let middle = (f64::from(south) + f64::from(north)) / 2e7;
        let across = down * middle.to_radians().cos();
        let mut frame = Self { west, north, east: across, south: down, width: 1, height: 1 };
        let (width, height) = frame.unit(Vertex { x: east, y: south });
        (frame.width, frame.height) = (width.max(1), height.max(1));
        frame
    }

    fn unit(&self, vertex: Vertex) -> (i64, i64) {
        let degrees = |from: i32, to: i32| (f64::from(to) - f64::from(from)) / 1e7;
        let x = degrees(self.west, vertex.x) * self.east;
        let y = degrees(vertex.y, self.north) * self.south;
        (x.round() as i64, y.round() as i64)
    }

    /// A region's rings, by steps from corner to corner. Corners of neighbours round alike.
    fn path(&self, region: &RegionData, svg: &mut String) {
        for ring in region.shapes.iter().flatten() {
            let mut points: Vec<(i64, i64)> =
                ring.iter().map(|vertex| self.unit(*vertex)).collect();
            points.dedup();
            let Some((&(x, y), rest)) = points.split_first() else { continue };
            let _ = write!(svg, "M{x} {y}l");
            let (mut at, mut first) = ((x, y), true);
            for &(x, y) in rest {
                put(x - at.0, first, svg);
                put(y - at.1, false, svg);
                (at, first) = ((x, y), false);
            }
            svg.push('z');
        }
    }
}

/// A number, apart from the one before.
fn put(number: i64, first: bool, svg: &mut String) {
    let space = if first || number < 0 { "" } else { " " };
    let _ = write!(svg, "{space}{number}");
}

/// Text in XML, also in an attribute. Characters that XML does not have become blanks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(name: &str) -> Regions {
        let corner =
            |x, y| Vertex { x: 80_000_000 + x * 1_000_000, y: 500_000_000 + y * 1_000_000 };
        let regions = vec![RegionData {
            code: RegionCode::new("XX001").unwrap(),
            name: name.to_owned(),
            density: 100.0,
            shapes: vec![vec![vec![corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)]]],
        }];
        let provenance =
            Provenance { notices: vec!["© <Somebody>".to_owned()], ..Provenance::default() };
        Regions::new(Geodata { provenance, regions }).unwrap()
    }

    #[test]
    fn a_region_is_drawn_where_a_page_would_put_it() {
        let regions = square("Square");
        // 0.1° are 11,120 m to the south, and 7,140 m to the east: units of 400 m.
        let svg = all(&regions);
        assert!(svg.contains("d=\"M0 28l18 0 0-28-18 0z\""), "{svg}");
        assert!(svg.contains("data-west=\"8\" data-north=\"50.1\""), "{svg}");
        assert!(svg.contains("data-south-unit=\"278.000\""), "{svg}");
        let detail = one(&regions, RegionCode::new("XX001").unwrap()).unwrap();
        assert!(detail.contains("M0 1112l714 0 0-1112-714 0z"), "{detail}");
        assert!(one(&regions, RegionCode::new("XX002").unwrap()).is_none());
    }

    #[test]
    fn names_and_notices_are_text() {
        let hostile = "\"><script>alert(1)</script>'\u{0}\u{1b}&";
        let svg = all(&square(hostile));
        assert!(!svg.contains("<script") && !svg.contains('\u{0}'), "{svg}");
        assert!(
            svg.contains("&quot;&gt;&lt;script&gt;") && svg.contains("© &lt;Somebody&gt;"),
            "{svg}"
        );
        assert!(!svg.contains("style") && !svg.contains("<style"), "{svg}");
    }

    #[test]
    fn released_positions_are_points() {
        let svg = all_with(&square("Square"), &[Position::new(50.0, 8.1).unwrap()]);
        assert!(svg.contains("class=\"masked\"") && svg.contains("cx=\"18\" cy=\"28\""), "{svg}");
        assert!(!all(&square("Square")).contains("<circle"));
    }

    #[cfg(feature = "germany")]
    #[test]
    fn germany_is_small_enough_for_a_page() {
        let regions = crate::embedded().unwrap();
        let svg = all(regions);
        assert_eq!(svg.matches("<path id=\"DE").count(), 401);
        assert!(svg.len() < 85_000, "{} octets", svg.len());
        assert!(svg.contains("dl-de/by-2-0"), "whom to name");
    }
}
