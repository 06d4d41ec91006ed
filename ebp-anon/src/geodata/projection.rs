//! From a shapefile's projection to WGS 84.
//!
//! Enters: the well-known text of a .prj file, and coordinates in that system. Leaves: degrees on
//! WGS 84. Absent: the inverse conversion; the projections' formulas, which are `proj4rs`' (1.4e-9
//! m from PROJ over Germany); every projection in which German and European offices do not publish
//! regions: it is rejected by name rather than guessed.
//!
//! Read are both versions of well-known text (ISO 19162, and the older one in ESRI's and OGC's
//! manner). ETRS89 (EPSG 4258, 25832, 25833, 3034, 3035, 5243) is treated as WGS 84 (EPSG 4326,
//! 3857), from which it has drifted by less than a metre. DHDN (EPSG 4314, 31466-31469) is moved by
//! the seven parameters of EPSG:1777, which are right to some 3 m in the whole of Germany; without
//! them points lie 150-200 m off.

mod well_known_text;

use std::fmt;

use proj4rs::{Proj, transform::transform};

use well_known_text::Node;

/// A projection that can be inverted.
pub struct Projection {
    /// As the .prj names it.
    pub name: String,
    /// The parameters for proj4rs.
    definition: String,
    from: Proj,
    to: Proj,
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Projection({:?}, {})", self.name, self.definition)
    }
}

impl PartialEq for Projection {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.definition) == (&other.name, &other.definition)
    }
}

/// Why a .prj file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// It is not well-known text.
    #[error("the .prj file is no well-known text of a coordinate system")]
    Unreadable,
    /// It contains something that is not supported.
    #[error(
        "{what} {name:?} is not known; known are ETRS89, WGS 84 and DHDN, in degrees, as transverse Mercator (UTM, Gauss-Krüger), as Lambert's equal-area azimuthal or conformal conic projection, or as web Mercator"
    )]
    Unknown {
        /// Datum, projection, unit…
        what: &'static str,
        /// What the file has.
        name: String,
    },
    /// A number is missing.
    #[error("the .prj file has no {0}")]
    Missing(&'static str),
    /// Its numbers do not define a valid projection.
    #[error("the .prj file's numbers make no projection: {0}")]
    Impossible(String),
}

/// The datum of coordinates in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Datum {
    /// WGS 84, or close enough to it.
    Wgs84,
    /// Deutsches Hauptdreiecksnetz, on Bessel's ellipsoid.
    Dhdn,
}

impl Datum {
    /// As a parameter for proj4rs.
    const fn definition(self) -> &'static str {
        match self {
            Self::Wgs84 => "+ellps=GRS80 +towgs84=0,0,0,0,0,0,0",
            Self::Dhdn => {
                "+a=6377397.155 +rf=299.1528128 +towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7"
            }
        }
    }
}

impl Projection {
    /// Reads a .prj file's text.
    ///
    /// # Errors
    /// Returns [`ProjectionError`], which names what is not known or missing.
    pub fn parse(text: &str) -> Result<Self, ProjectionError> {
        let root = Node::parse(text).ok_or(ProjectionError::Unreadable)?;
        let root = horizontal(&root)?;
        let (geographic, projected) = match root.keyword.as_str() {
            "GEOGCS" | "GEOGCRS" | "GEODCRS" | "GEOGRAPHICCRS" | "GEODETICCRS" => (root, None),
            "PROJCS" | "PROJCRS" | "PROJECTEDCRS" => {
                let geographic = root
                    .child(&["GEOGCS", "BASEGEOGCRS", "BASEGEODCRS"])
                    .ok_or(ProjectionError::Missing("GEOGCS"))?;
                (geographic, Some(root))
            }
            other => return Err(unknown("coordinate system", other)),
        };
        let datum = datum(geographic)?;
        let definition = match projected {
            None => format!("+proj=longlat {}", datum.definition()),
            Some(projected) => format!("{} +units=m", method(projected, datum)?),
        };
        let of = |definition: &str| {
            Proj::from_proj_string(&format!("{definition} +no_defs"))
                .map_err(|error| ProjectionError::Impossible(error.to_string()))
        };
        // Web Mercator takes degrees of WGS 84 for those of a sphere, and back.
        let to = match definition.contains("+proj=merc") {
            true => SPHERE,
            false => "+proj=longlat +ellps=GRS80 +towgs84=0,0,0,0,0,0,0",
        };
        let (from, to) = (of(&definition)?, of(to)?);
        Ok(Self { name: root.text().to_owned(), definition, from, to })
    }

    /// Latitude and longitude on WGS 84, degrees, of coordinates in this system; no numbers where
    /// there is no such place.
    pub fn to_degrees(&self, x: f64, y: f64) -> (f64, f64) {
        if self.is_degrees() {
            return (y, x);
        }
        let is_angle = self.definition.contains("+proj=longlat");
        let (x, y) = if is_angle { (x.to_radians(), y.to_radians()) } else { (x, y) };
        let mut place = (x, y, 0.0);
        match transform(&self.from, &self.to, &mut place) {
            Ok(()) => (place.1.to_degrees(), place.0.to_degrees()),
            Err(_) => (f64::NAN, f64::NAN),
        }
    }

    /// Whether straight lines of this system are straight in degrees, too.
    pub fn is_degrees(&self) -> bool {
        self.definition.starts_with("+proj=longlat +ellps=GRS80")
    }
}

/// The system of the shapes' coordinates: of one together with heights the first, of one together with
/// a way to another one the former.
fn horizontal(root: &Node) -> Result<&Node, ProjectionError> {
    match root.keyword.as_str() {
        "BOUNDCRS" => root
            .child(&["SOURCECRS"])
            .and_then(|source| source.children.first())
            .ok_or(ProjectionError::Missing("SOURCECRS"))
            .and_then(horizontal),
        "COMPD_CS" | "COMPOUNDCRS" => {
            root.children.first().ok_or(ProjectionError::Missing("PROJCS")).and_then(horizontal)
        }
        _ => Ok(root),
    }
}

/// Degrees on web Mercator's sphere.
const SPHERE: &str = "+proj=longlat +R=6378137";

fn unknown(what: &'static str, name: &str) -> ProjectionError {
    ProjectionError::Unknown { what, name: name.to_owned() }
}

/// The datum of a geographic system, whose ellipsoid, meridian and unit must be as expected.
fn datum(geographic: &Node) -> Result<Datum, ProjectionError> {
    let node = geographic
        .child(&["DATUM", "ENSEMBLE", "GEODETICDATUM", "TRF"])
        .ok_or(ProjectionError::Missing("DATUM"))?;
    let spheroid =
        node.child(&["SPHEROID", "ELLIPSOID"]).ok_or(ProjectionError::Missing("SPHEROID"))?;
    let (Some(a), Some(inverse)) = (spheroid.number(0), spheroid.number(1)) else {
        return Err(ProjectionError::Missing("size of the spheroid"));
    };
    let meridian = geographic.child(&["PRIMEM", "PRIMEMERIDIAN"]);
    if meridian.and_then(|meridian| meridian.number(0)).unwrap_or(0.0) != 0.0 {
        return Err(unknown("prime meridian", "other than Greenwich"));
    }
    unit(geographic, 1_f64.to_radians())?;
    let name = plain(node.text());
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let datum = if has(&["etrs", "europeanterrestrialreference"])
        || has(&["wgs1984", "wgs84", "worldgeodeticsystem1984"])
    {
        Datum::Wgs84
    } else if has(&["deutscheshauptdreiecksnetz", "dhdn"]) {
        Datum::Dhdn
    } else {
        return Err(unknown("datum", node.text()));
    };
    let right = match datum {
        Datum::Wgs84 => (a - 6_378_137.0).abs() < 0.01 && (inverse - 298.257).abs() < 0.001,
        Datum::Dhdn => (a - 6_377_397.155).abs() < 0.01 && (inverse - 299.152_8).abs() < 0.001,
    };
    if right { Ok(datum) } else { Err(unknown("spheroid", spheroid.text())) }
}

/// The projection as parameters for proj4rs.
fn method(projected: &Node, datum: Datum) -> Result<String, ProjectionError> {
    // The newer text has name and parameters of the conversion in a separate node.
    let conversion = projected.child(&["CONVERSION"]).unwrap_or(projected);
    let projection = conversion
        .child(&["PROJECTION", "METHOD"])
        .ok_or(ProjectionError::Missing("PROJECTION"))?;
    let parameter = |names: &[&'static str]| {
        let node = conversion
            .children
            .iter()
            .filter(|child| child.keyword == "PARAMETER")
            .find(|child| names.iter().any(|name| plain(name) == plain(child.text())))
            .ok_or(ProjectionError::Missing(names[0]))?;
        unit(node, if plain(node.text()).contains("ing") { 1.0 } else { 1_f64.to_radians() })?;
        node.number(0).ok_or(ProjectionError::Missing(names[0]))
    };
    unit(projected, 1.0)?;
    let easting = parameter(&["false_easting", "easting_at_false_origin"])?;
    let northing = parameter(&["false_northing", "northing_at_false_origin"])?;
    let meridian = parameter(&[
        "central_meridian",
        "longitude_of_center",
        "longitude_of_natural_origin",
        "longitude_of_false_origin",
        "longitude_of_origin",
    ])?;
    let latitude = || {
        parameter(&[
            "latitude_of_origin",
            "latitude_of_center",
            "latitude_of_natural_origin",
            "latitude_of_false_origin",
        ])
    };
    let offsets = format!("+lon_0={meridian} +x_0={easting} +y_0={northing}");
    let ground = datum.definition();
    match plain(projection.text()).as_str() {
        "transversemercator" | "gausskruger" => {
            let scale = parameter(&["scale_factor", "scale_factor_at_natural_origin"])?;
            let latitude = latitude()?;
            Ok(format!("+proj=etmerc +lat_0={latitude} +k={scale} {offsets} {ground}"))
        }
        "lambertazimuthalequalarea" => {
            Ok(format!("+proj=laea +lat_0={} {offsets} {ground}", latitude()?))
        }
        "lambertconformalconic" | "lambertconformalconic2sp" | "lambertconicconformal2sp" => {
            let first = parameter(&["standard_parallel_1", "latitude_of_1st_standard_parallel"])?;
            let second = parameter(&["standard_parallel_2", "latitude_of_2nd_standard_parallel"])?;
            let latitude = latitude()?;
            Ok(format!(
                "+proj=lcc +lat_1={first} +lat_2={second} +lat_0={latitude} {offsets} {ground}"
            ))
        }
        name if datum == Datum::Wgs84 && is_web_mercator(name, projected) => {
            Ok(format!("+proj=merc {offsets} +R=6378137"))
        }
        _ => Err(unknown("projection", projection.text())),
    }
}

/// Whether that is the Mercator projection of a sphere that map services use. OGC's older text has
/// only the ellipsoid's name in this node, and names the sphere in another node.
fn is_web_mercator(method: &str, projected: &Node) -> bool {
    match method {
        "mercatorauxiliarysphere" | "popularvisualisationpseudomercator" => true,
        "mercator1sp" => {
            let extension = projected.child(&["EXTENSION"]).map_or("", Node::second_text);
            extension.contains("+a=6378137 +b=6378137")
                || plain(projected.text()).contains("pseudomercator")
        }
        _ => false,
    }
}

/// Checks the unit of a system or of a parameter, if there is one.
fn unit(node: &Node, expected: f64) -> Result<(), ProjectionError> {
    let units = ["UNIT", "LENGTHUNIT", "ANGLEUNIT"];
    let own = node.child(&units);
    let of_axis = || node.child(&["AXIS"]).and_then(|axis| axis.child(&units));
    let Some(unit) = own.or_else(of_axis) else {
        // Only the older text must have it for each system.
        return match node.keyword.as_str() {
            "GEOGCS" | "PROJCS" => Err(ProjectionError::Missing("UNIT")),
            _ => Ok(()),
        };
    };
    match unit.number(0) {
        Some(size) if (size / expected - 1.0).abs() < 1e-9 => Ok(()),
        _ => Err(unknown("unit", unit.text())),
    }
}

/// A name without what differs between writers.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
