//! From a shapefile's projection to WGS 84.
//!
//! Enters: the well-known text of a .prj file, and coordinates in that system. Leaves: degrees on
//! WGS 84. Absent: the way there, and every projection that German and European offices do not
//! publish regions in: it is refused by name rather than guessed.
//!
//! ETRS89 (EPSG 4258, 25832, 25833, 3035) is taken for WGS 84, from which it has drifted by less
//! than a metre. DHDN (EPSG 4314, 31466-31469) is moved by the seven parameters of EPSG:1777,
//! which are right to some 3 m in the whole of Germany; without them points lie 150-200 m off.

/// A projection that can be undone.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// As the .prj names it.
    pub name: String,
    method: Method,
    ellipsoid: Ellipsoid,
    datum: Datum,
}

/// Why a .prj is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// It is no well-known text.
    #[error("the .prj file is no well-known text of a coordinate system")]
    Unreadable,
    /// Something in it is not known here.
    #[error(
        "{what} {name:?} is not known; known are ETRS89, WGS 84 and DHDN, in degrees, as transverse Mercator (UTM, Gauss-Krüger) or as Lambert's equal-area azimuthal projection"
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
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Ellipsoid {
    a: f64,
    f: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Datum {
    /// WGS 84, or as good as.
    Wgs84,
    /// Deutsches Hauptdreiecksnetz, on Bessel's ellipsoid.
    Dhdn,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    Degrees,
    TransverseMercator { meridian: f64, scale: f64, easting: f64, northing: f64 },
    EqualArea { latitude: f64, meridian: f64, easting: f64, northing: f64 },
}

impl Projection {
    /// Reads a .prj file's text, in ESRI's manner or OGC's.
    ///
    /// # Errors
    /// [`ProjectionError`] names what is not known or missing.
    pub fn parse(text: &str) -> Result<Self, ProjectionError> {
        let root = Node::parse(text).ok_or(ProjectionError::Unreadable)?;
        let name = root.text().to_owned();
        let unknown = |what, name: &str| ProjectionError::Unknown { what, name: name.to_owned() };
        let (geographic, projected) = match root.keyword.as_str() {
            "GEOGCS" => (&root, None),
            "PROJCS" => {
                let geographic = root.child("GEOGCS").ok_or(ProjectionError::Missing("GEOGCS"))?;
                (geographic, Some(&root))
            }
            other => return Err(unknown("coordinate system", other)),
        };
        let datum = geographic.child("DATUM").ok_or(ProjectionError::Missing("DATUM"))?;
        let spheroid = datum.child("SPHEROID").ok_or(ProjectionError::Missing("SPHEROID"))?;
        let (Some(a), Some(inverse)) = (spheroid.number(0), spheroid.number(1)) else {
            return Err(ProjectionError::Missing("size of the spheroid"));
        };
        if geographic.child("PRIMEM").and_then(|meridian| meridian.number(0)).unwrap_or(0.0) != 0.0
        {
            return Err(unknown("prime meridian", "other than Greenwich"));
        }
        unit(geographic, 1_f64.to_radians())?;
        let datum = match plain(datum.text()).as_str() {
            name if name.contains("etrs") || name.contains("europeanterrestrialreference") => {
                Datum::Wgs84
            }
            name if name.contains("wgs1984")
                || name.contains("wgs84")
                || name.contains("worldgeodeticsystem1984") =>
            {
                Datum::Wgs84
            }
            name if name.contains("deutscheshauptdreiecksnetz") || name.contains("dhdn") => {
                Datum::Dhdn
            }
            _ => return Err(unknown("datum", datum.text())),
        };
        let ellipsoid = Ellipsoid { a, f: 1.0 / inverse };
        let right = match datum {
            Datum::Wgs84 => (a - 6_378_137.0).abs() < 0.01 && (inverse - 298.257).abs() < 0.001,
            Datum::Dhdn => (a - 6_377_397.155).abs() < 0.01 && (inverse - 299.152_8).abs() < 0.001,
        };
        if !right {
            return Err(unknown("spheroid", spheroid.text()));
        }
        let method = match projected {
            None => Method::Degrees,
            Some(projected) => method(projected)?,
        };
        Ok(Self { name, method, ellipsoid, datum })
    }

    /// Latitude and longitude on WGS 84, degrees, of coordinates in this system.
    pub fn to_degrees(&self, x: f64, y: f64) -> (f64, f64) {
        let (latitude, longitude) = match self.method {
            Method::Degrees => (y.to_radians(), x.to_radians()),
            Method::TransverseMercator { meridian, scale, easting, northing } => {
                let (latitude, east) = self
                    .ellipsoid
                    .unproject_mercator((x - easting) / scale, (y - northing) / scale);
                (latitude, meridian + east)
            }
            Method::EqualArea { latitude, meridian, easting, northing } => {
                let (latitude, east) =
                    self.ellipsoid.unproject_equal_area(latitude, x - easting, y - northing);
                (latitude, meridian + east)
            }
        };
        let (latitude, longitude) = match self.datum {
            Datum::Wgs84 => (latitude, longitude),
            Datum::Dhdn => from_dhdn(self.ellipsoid, latitude, longitude),
        };
        (latitude.to_degrees(), longitude.to_degrees())
    }

    /// Whether straight lines of this system are straight in degrees, too.
    pub fn is_degrees(&self) -> bool {
        self.method == Method::Degrees && self.datum == Datum::Wgs84
    }
}

fn method(projected: &Node) -> Result<Method, ProjectionError> {
    let projection = projected.child("PROJECTION").ok_or(ProjectionError::Missing("PROJECTION"))?;
    let parameter = |names: &[&'static str]| {
        projected
            .children
            .iter()
            .filter(|child| child.keyword == "PARAMETER")
            .find(|child| names.contains(&child.text().to_ascii_lowercase().as_str()))
            .and_then(|child| child.number(0))
            .ok_or(ProjectionError::Missing(names[0]))
    };
    unit(projected, 1.0)?;
    let easting = parameter(&["false_easting"])?;
    let northing = parameter(&["false_northing"])?;
    let meridian = parameter(&["central_meridian", "longitude_of_center"])?.to_radians();
    let latitude = parameter(&["latitude_of_origin", "latitude_of_center"])?.to_radians();
    match plain(projection.text()).as_str() {
        "transversemercator" | "gausskruger" if latitude == 0.0 => {
            let scale = parameter(&["scale_factor"])?;
            Ok(Method::TransverseMercator { meridian, scale, easting, northing })
        }
        "lambertazimuthalequalarea" => {
            Ok(Method::EqualArea { latitude, meridian, easting, northing })
        }
        _ => {
            Err(ProjectionError::Unknown { what: "projection", name: projection.text().to_owned() })
        }
    }
}

/// Checks the unit of a system.
fn unit(system: &Node, expected: f64) -> Result<(), ProjectionError> {
    let unit = system.child("UNIT").ok_or(ProjectionError::Missing("UNIT"))?;
    match unit.number(0) {
        Some(size) if (size / expected - 1.0).abs() < 1e-9 => Ok(()),
        _ => Err(ProjectionError::Unknown { what: "unit", name: unit.text().to_owned() }),
    }
}

/// A name without what differs between writers.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

impl Ellipsoid {
    /// Eccentricity, squared.
    fn e2(self) -> f64 {
        self.f * (2.0 - self.f)
    }

    /// Transverse Mercator without scale and offsets: Krüger's series to the fourth order in the
    /// third flattening, right to some micrometres in a zone.
    fn unproject_mercator(self, x: f64, y: f64) -> (f64, f64) {
        let n = self.f / (2.0 - self.f);
        let (n2, n3, n4) = (n * n, n * n * n, n * n * n * n);
        let radius = self.a / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0);
        let (xi, eta) = (y / radius, x / radius);
        let beta = [
            n / 2.0 - 2.0 / 3.0 * n2 + 37.0 / 96.0 * n3 - n4 / 360.0,
            n2 / 48.0 + n3 / 15.0 - 437.0 / 1440.0 * n4,
            17.0 / 480.0 * n3 - 37.0 / 840.0 * n4,
            4397.0 / 161_280.0 * n4,
        ];
        let (mut north, mut east) = (xi, eta);
        for (index, term) in beta.into_iter().enumerate() {
            let twice = 2.0 * (index + 1) as f64;
            north -= term * (twice * xi).sin() * (twice * eta).cosh();
            east -= term * (twice * xi).cos() * (twice * eta).sinh();
        }
        let conformal = (north.sin() / east.cosh()).asin();
        let delta = [
            2.0 * n - 2.0 / 3.0 * n2 - 2.0 * n3 + 116.0 / 45.0 * n4,
            7.0 / 3.0 * n2 - 8.0 / 5.0 * n3 - 227.0 / 45.0 * n4,
            56.0 / 15.0 * n3 - 136.0 / 35.0 * n4,
            4279.0 / 630.0 * n4,
        ];
        let latitude = delta.into_iter().enumerate().fold(conformal, |latitude, (index, term)| {
            latitude + term * (2.0 * (index + 1) as f64 * conformal).sin()
        });
        (latitude, east.sinh().atan2(north.cos()))
    }

    /// Lambert's azimuthal equal-area projection (Snyder 1987, equations 24-17 to 24-28), with the
    /// latitude found by Newton's method.
    fn unproject_equal_area(self, latitude: f64, x: f64, y: f64) -> (f64, f64) {
        let (e2, e) = (self.e2(), self.e2().sqrt());
        let q = |latitude: f64| {
            let s = latitude.sin();
            (1.0 - e2) * (s / (1.0 - e2 * s * s) + (e * s).atanh() / e)
        };
        let pole = q(std::f64::consts::FRAC_PI_2);
        let sphere = self.a * (pole / 2.0).sqrt();
        let centre = (q(latitude) / pole).asin();
        let parallel = latitude.cos() / (1.0 - e2 * latitude.sin().powi(2)).sqrt();
        let stretch = self.a * parallel / (sphere * centre.cos());
        let (x, y) = (x / stretch, y * stretch);
        let rho = x.hypot(y);
        if rho == 0.0 {
            return (latitude, 0.0);
        }
        let angle = 2.0 * (rho / (2.0 * sphere)).asin();
        let authalic = angle.cos() * centre.sin() + y * angle.sin() * centre.cos() / rho;
        let east = (x * angle.sin())
            .atan2(rho * centre.cos() * angle.cos() - y * centre.sin() * angle.sin());
        let wanted = pole * authalic;
        let mut found = authalic.asin();
        for _ in 0..5 {
            let s = found.sin();
            let bend = 1.0 - e2 * s * s;
            found += (wanted - q(found)) * bend * bend / (2.0 * (1.0 - e2) * found.cos());
        }
        (found, east)
    }
}

/// DHDN to WGS 84 by EPSG:1777 (seven parameters, position vector).
fn from_dhdn(bessel: Ellipsoid, latitude: f64, longitude: f64) -> (f64, f64) {
    const SHIFT: [f64; 3] = [598.1, 73.7, 418.2];
    const TURN: [f64; 3] = [0.202, 0.045, -2.455];
    const SCALE: f64 = 1.0 + 6.7e-6;
    let [rx, ry, rz] = TURN.map(|seconds| (seconds / 3600.0_f64).to_radians());
    let (sin, cos) = latitude.sin_cos();
    let transverse = bessel.a / (1.0 - bessel.e2() * sin * sin).sqrt();
    let (x, y, z) = (
        transverse * cos * longitude.cos(),
        transverse * cos * longitude.sin(),
        transverse * (1.0 - bessel.e2()) * sin,
    );
    let (x, y, z) = (
        SHIFT[0] + SCALE * (x - rz * y + ry * z),
        SHIFT[1] + SCALE * (rz * x + y - rx * z),
        SHIFT[2] + SCALE * (-ry * x + rx * y + z),
    );
    let wgs84 = Ellipsoid { a: 6_378_137.0, f: 1.0 / 298.257_223_563 };
    let axis = x.hypot(y);
    let mut latitude = latitude;
    for _ in 0..6 {
        let sin = latitude.sin();
        let transverse = wgs84.a / (1.0 - wgs84.e2() * sin * sin).sqrt();
        latitude = (z + wgs84.e2() * transverse * sin).atan2(axis);
    }
    (latitude, y.atan2(x))
}

/// A keyword with texts, numbers and further nodes in brackets.
#[derive(Debug, Default)]
struct Node {
    keyword: String,
    texts: Vec<String>,
    numbers: Vec<f64>,
    children: Vec<Node>,
}

impl Node {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim_start_matches('\u{feff}').trim();
        let node = Self::take(&mut rest, 0)?;
        rest.trim().is_empty().then_some(node)
    }

    fn take(rest: &mut &str, depth: usize) -> Option<Self> {
        if depth > 8 {
            return None;
        }
        let (keyword, after) = rest.split_once(['[', '('])?;
        let mut node = Self { keyword: keyword.trim().to_ascii_uppercase(), ..Self::default() };
        *rest = after;
        loop {
            *rest = rest.trim_start();
            if let Some(quoted) = rest.strip_prefix('"') {
                let (text, after) = quoted.split_once('"')?;
                node.texts.push(text.to_owned());
                *rest = after;
            } else {
                let end = rest.find([',', ']', ')', '[', '('])?;
                let word = rest[..end].trim();
                if rest[end..].starts_with(['[', '(']) {
                    node.children.push(Self::take(rest, depth + 1)?);
                } else {
                    // Directions such as EAST stand without quotes and tell nothing here.
                    node.numbers.extend(word.parse::<f64>());
                    *rest = &rest[end..];
                }
            }
            *rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix(',') {
                *rest = after;
            } else {
                *rest = rest.strip_prefix([']', ')'])?;
                return Some(node);
            }
        }
    }

    fn child(&self, keyword: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.keyword == keyword)
    }

    fn text(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    fn number(&self, index: usize) -> Option<f64> {
        self.numbers.get(index).copied()
    }
}

#[cfg(test)]
mod tests;
