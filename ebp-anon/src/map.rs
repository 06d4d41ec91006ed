//! A map of what was masked: regions, rings and points, as SVG or GeoJSON.
//!
//! Enters: regions, releases. Leaves: text, written as it comes. Absent: true positions, unless the
//! map is made for the custodian of the data, who has to ask for them.
//!
//! A public map has released positions alone: a ring's width reveals the density of the true
//! region. With true positions the ring is drawn around those: where they could have been moved to
//! (thesis, figure 4.10).

use std::{
    f64::consts::TAU,
    io::{self, Write},
};

use crate::{DistanceBounds, Position, Regions, Release, geodata::Vertex};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapFormat {
    /// A picture.
    Svg,
    /// Features for a geographic information system (RFC 7946).
    GeoJson,
}

/// For whom a map is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Everybody: released positions only.
    Public,
    /// Who holds the true positions anyway: they are on the map.
    Custodian,
}

/// A map that is being written.
#[derive(Debug)]
pub struct Map<W> {
    writer: W,
    format: MapFormat,
    view: View,
    frame: Frame,
    features: u64,
}

/// Degrees to pixels: parallels and meridians straight, true to scale in the middle.
#[derive(Debug, Clone, Copy)]
struct Frame {
    west: f64,
    north: f64,
    across: f64,
    down: f64,
}

/// Width of a picture, pixels.
const WIDTH: f64 = 1000.0;
/// What is shown to each side of a single release, metres: three of the greatest distances that
/// German densities give.
const AROUND_M: f64 = 31_500.0;
/// Corners of a circle.
const CORNERS: u32 = 72;

impl<W: Write> Map<W> {
    /// Begins a map with all regions, or with those around one release only.
    ///
    /// # Errors
    /// Returns the writer's error.
    pub fn begin(
        mut writer: W,
        format: MapFormat,
        view: View,
        regions: &Regions,
        around: Option<&Release>,
    ) -> io::Result<Self> {
        let corners = regions
            .geodata()
            .regions
            .iter()
            .flat_map(|region| region.shapes.iter().flatten().flatten());
        let (mut west, mut south, mut east, mut north) =
            (180.0_f64, 90.0_f64, -180.0_f64, -90.0_f64);
        let mut reach = |longitude: f64, latitude: f64| {
            (west, east) = (west.min(longitude), east.max(longitude));
            (south, north) = (south.min(latitude), north.max(latitude));
        };
        match around {
            Some(release) => {
                // The same for all: the frame must not reveal how far it was moved.
                let position = release.position();
                let high = AROUND_M / 111_200.0;
                let wide = high / position.latitude().to_radians().cos();
                reach(position.longitude() - wide, position.latitude() - high);
                reach(position.longitude() + wide, position.latitude() + high);
            }
            None => corners.clone().map(|&corner| degrees(corner)).for_each(|(x, y)| reach(x, y)),
        }
        let across = WIDTH / (east - west).max(1e-6);
        let down = across / f64::midpoint(south, north).to_radians().cos();
        let frame = Frame { west, north, across, down };
        let height = (north - south) * down;
        match format {
            MapFormat::Svg => {
                writeln!(
                    writer,
                    r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0}" viewBox="0 0 {WIDTH} {height:.0}">"#
                )?;
                writeln!(
                    writer,
                    "<style>.region{{fill:#f4f1e8;stroke:#8a8a8a;stroke-width:.5}}.ring{{fill:#2a9d4a;fill-opacity:.2;fill-rule:evenodd;stroke:#2a9d4a;stroke-width:.5}}.released{{fill:#1f5fbf}}.origin{{fill:#c0392b}}text{{font:10px sans-serif;fill:#555}}</style>"
                )?;
            }
            MapFormat::GeoJson => {
                writeln!(
                    writer,
                    r#"{{"type":"FeatureCollection","attribution":{},"features":["#,
                    json(&regions.provenance().notices.join("; "))
                )?;
            }
        }
        let mut map = Self { writer, format, view, frame, features: 0 };
        map.regions(regions)?;
        if format == MapFormat::Svg {
            for (line, notice) in regions.provenance().notices.iter().enumerate() {
                let y = height - 6.0 - 12.0 * line as f64;
                writeln!(map.writer, r#"<text x="6" y="{y:.0}">{}</text>"#, xml(notice))?;
            }
        }
        Ok(map)
    }

    /// Draws a release; the true position appears in a custodian's view only.
    ///
    /// # Errors
    /// Returns the writer's error.
    pub fn add(&mut self, origin: Position, release: &Release) -> io::Result<()> {
        let released = release.position().position();
        match self.view {
            View::Public => self.point("released", released, None),
            View::Custodian => {
                self.ring(origin, release)?;
                self.point("released", released, Some(release))?;
                self.point("origin", origin, Some(release))
            }
        }
    }

    /// Ends the map.
    ///
    /// # Errors
    /// Returns the writer's error.
    pub fn end(mut self) -> io::Result<()> {
        match self.format {
            MapFormat::Svg => writeln!(self.writer, "</svg>")?,
            MapFormat::GeoJson => writeln!(self.writer, "\n]}}")?,
        }
        self.writer.flush()
    }

    fn regions(&mut self, regions: &Regions) -> io::Result<()> {
        for region in &regions.geodata().regions {
            for shape in &region.shapes {
                match self.format {
                    MapFormat::Svg => {
                        write!(self.writer, r#"<path class="region" fill-rule="evenodd" d=""#)?;
                        for ring in shape {
                            self.path(ring.iter().map(|&vertex| degrees(vertex)))?;
                        }
                        writeln!(
                            self.writer,
                            r#""><title>{} {}</title></path>"#,
                            region.code,
                            xml(&region.name)
                        )?;
                    }
                    MapFormat::GeoJson => {
                        // Rings without telling holes from islands: lines, not areas.
                        self.feature(&format!(
                            r#""kind":"region","nuts3":"{}","name":{},"density":{}"#,
                            region.code,
                            json(&region.name),
                            region.density
                        ))?;
                        write!(self.writer, r#"{{"type":"MultiLineString","coordinates":["#)?;
                        for (index, ring) in shape.iter().enumerate() {
                            let closed = ring.iter().chain(ring.first());
                            self.line(index, closed.map(|&vertex| degrees(vertex)))?;
                        }
                        write!(self.writer, "]}}}}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn ring(&mut self, centre: Position, release: &Release) -> io::Result<()> {
        let bounds: DistanceBounds = release.bounds();
        let circles = [circle(centre, bounds.max_m(), 1.0), circle(centre, bounds.min_m(), -1.0)];
        match self.format {
            MapFormat::Svg => {
                write!(self.writer, r#"<path class="ring" d=""#)?;
                for circle in circles {
                    self.path(circle)?;
                }
                writeln!(self.writer, r#""/>"#)
            }
            MapFormat::GeoJson => {
                let (min, max) = (bounds.min_m(), bounds.max_m());
                self.feature(&format!(r#""kind":"ring","d_min":{min},"d_max":{max}"#))?;
                write!(self.writer, r#"{{"type":"Polygon","coordinates":["#)?;
                for (index, circle) in circles.into_iter().enumerate() {
                    self.line(index, circle)?;
                }
                write!(self.writer, "]}}}}")
            }
        }
    }

    fn point(&mut self, kind: &str, place: Position, of: Option<&Release>) -> io::Result<()> {
        match self.format {
            MapFormat::Svg => {
                let (x, y) = self.frame.pixel(place.longitude(), place.latitude());
                writeln!(self.writer, r#"<circle class="{kind}" cx="{x:.2}" cy="{y:.2}" r="2"/>"#)
            }
            MapFormat::GeoJson => {
                let region =
                    of.map_or(String::new(), |of| format!(r#","nuts3":"{}""#, of.region()));
                self.feature(&format!(r#""kind":"{kind}"{region}"#))?;
                let (x, y) = (place.longitude(), place.latitude());
                write!(self.writer, r#"{{"type":"Point","coordinates":[{x:.6},{y:.6}]}}}}"#)
            }
        }
    }

    /// Begins a feature up to its geometry.
    fn feature(&mut self, properties: &str) -> io::Result<()> {
        let comma = if self.features == 0 { "" } else { ",\n" };
        self.features += 1;
        write!(
            self.writer,
            r#"{comma}{{"type":"Feature","properties":{{{properties}}},"geometry":"#
        )
    }

    fn path(&mut self, places: impl Iterator<Item = (f64, f64)>) -> io::Result<()> {
        for (index, (longitude, latitude)) in places.enumerate() {
            let (x, y) = self.frame.pixel(longitude, latitude);
            write!(self.writer, "{}{x:.2} {y:.2}", if index == 0 { 'M' } else { 'L' })?;
        }
        write!(self.writer, "Z")
    }

    fn line(&mut self, index: usize, places: impl Iterator<Item = (f64, f64)>) -> io::Result<()> {
        write!(self.writer, "{}[", if index == 0 { "" } else { "," })?;
        for (index, (longitude, latitude)) in places.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(self.writer, "{comma}[{longitude:.6},{latitude:.6}]")?;
        }
        write!(self.writer, "]")
    }
}

impl Frame {
    fn pixel(self, longitude: f64, latitude: f64) -> (f64, f64) {
        ((longitude - self.west) * self.across, (self.north - latitude) * self.down)
    }
}

/// East and north.
fn degrees(vertex: Vertex) -> (f64, f64) {
    (f64::from(vertex.x) / 1e7, f64::from(vertex.y) / 1e7)
}

/// A closed circle, counter-clockwise for 1 and clockwise for -1; good enough to look at.
fn circle(centre: Position, metres: f64, turn: f64) -> impl Iterator<Item = (f64, f64)> {
    let degree = 111_200.0;
    let shrink = centre.latitude().to_radians().cos();
    (0..=CORNERS).map(move |corner| {
        let (sin, cos) = (turn * TAU * f64::from(corner % CORNERS) / f64::from(CORNERS)).sin_cos();
        (
            centre.longitude() + metres * cos / (degree * shrink),
            centre.latitude() + metres * sin / degree,
        )
    })
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn json(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
