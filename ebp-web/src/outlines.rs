//! The outlines of all regions, and where a location lies on them.

use ebp_core::model::Location;

/// A picture of outlines, with what is needed to place a marker on it.
#[cfg(feature = "device")]
#[derive(Debug, Clone, PartialEq)]
pub struct Outlines {
    /// The picture (SVG).
    pub svg: String,
    scale: MapScale,
}

/// Where the degrees of a picture of outlines are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapScale {
    /// The picture's width, in its units.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// The degrees of its western edge.
    pub west: f64,
    /// Of its northern edge.
    pub north: f64,
    /// The units of a degree to the east.
    pub east_unit: f64,
    /// To the south.
    pub south_unit: f64,
}

/// A marker on the outlines, in their units.
#[derive(Debug, Clone, PartialEq)]
pub struct MapView {
    /// The width of the picture.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// The marker's place from the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Its size.
    pub radius: f64,
}

impl MapScale {
    /// Reads the picture's own scale. `None` if it has none.
    #[must_use]
    pub fn parse(svg: &str) -> Option<Self> {
        let head = svg.split('>').next()?;
        let attribute = |name: &str| head.split(&format!(" {name}=\"")).nth(1)?.split('"').next();
        let number =
            |name| attribute(name)?.parse::<f64>().ok().filter(|number| number.is_finite());
        let mut size = attribute("viewBox")?.split(' ').skip(2).map(str::parse::<f64>);
        let (width, height) = (size.next()?.ok()?, size.next()?.ok()?);
        let (west, north) = (number("data-west")?, number("data-north")?);
        let (east_unit, south_unit) = (number("data-east-unit")?, number("data-south-unit")?);
        Some(Self { width, height, west, north, east_unit, south_unit })
    }

    /// A location on it. `None` if it lies beyond the picture.
    #[must_use]
    pub fn place(&self, location: &Location) -> Option<MapView> {
        let x = ((location.longitude - self.west) * self.east_unit).round();
        let y = ((self.north - location.latitude) * self.south_unit).round();
        let is_within = (0.0..=self.width).contains(&x) && (0.0..=self.height).contains(&y);
        let (width, height) = (self.width, self.height);
        let radius = self.radius();
        is_within.then_some(MapView { width, height, x, y, radius })
    }

    /// The size of a marker.
    #[must_use]
    pub fn radius(&self) -> f64 {
        (self.width / 40.0).ceil()
    }

    /// The location at a place of the picture that is shown so many pixels wide.
    #[cfg(feature = "registration")]
    #[must_use]
    pub fn location_at(&self, x: f64, y: f64, shown_width: f64) -> Location {
        let unit = self.width / shown_width;
        Location::entered(
            self.north - y * unit / self.south_unit,
            self.west + x * unit / self.east_unit,
        )
    }
}

#[cfg(feature = "device")]
impl Outlines {
    /// Reads the picture's own scale. `None` if it has none.
    #[must_use]
    pub fn parse(svg: String) -> Option<Self> {
        let scale = MapScale::parse(&svg)?;
        Some(Self { svg, scale })
    }

    /// A location on them. `None` if it lies beyond the picture.
    #[must_use]
    pub fn place(&self, location: &Location) -> Option<MapView> {
        self.scale.place(location)
    }

    /// Whose data the picture is made of. It says so itself, in letters that are too small on a page.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        let texts = self.svg.split("<text ").skip(1).filter_map(|rest| {
            let (_, text) = rest.split_once('>')?;
            Some(text.split_once("</text>")?.0)
        });
        let named =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        let unescape = |text: &str| {
            named.iter().fold(text.to_owned(), |text, (name, letter)| text.replace(name, letter))
        };
        texts.map(unescape).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "registration")]
    #[test]
    fn a_place_of_the_picture_is_a_location() {
        let svg = "<svg viewBox=\"0 0 1600 2200\" data-west=\"5.8\" data-north=\"55.1\" \
                   data-east-unit=\"170.5\" data-south-unit=\"278.0\"><g/></svg>";
        let scale = MapScale::parse(svg).unwrap();
        let cologne = scale.location_at(38.85, 204.4, 280.0);
        assert!((cologne.latitude - 50.9).abs() < 0.01, "{}", cologne.latitude);
        assert!((cologne.longitude - 7.1).abs() < 0.01, "{}", cologne.longitude);
    }

    #[cfg(feature = "device")]
    #[test]
    fn a_location_is_placed_by_the_pictures_own_scale() {
        let svg = "<svg role=\"img\" viewBox=\"0 0 1600 2200\" data-west=\"5.8\" data-north=\"55.1\" \
                   data-east-unit=\"170.5\" data-south-unit=\"278.0\"><g/></svg>";
        let outlines = Outlines::parse(svg.to_owned()).unwrap();
        let cologne = outlines.place(&Location::entered(50.9, 7.1)).unwrap();
        assert_eq!((cologne.x, cologne.y, cologne.radius), (222.0, 1168.0, 40.0));
        assert_eq!(outlines.place(&Location::entered(48.0, 40.0)), None, "not in the picture");
        assert_eq!(outlines.notices(), Vec::<String>::new());
        let texts = "<text x=\"0\" y=\"9\">© A &amp; B</text><text x=\"0\">&lt;b&gt;</text><text x";
        let named = Outlines::parse(svg.replace("<g/>", texts)).unwrap();
        assert_eq!(named.notices(), ["© A & B", "<b>"]);
        for other in ["", "<svg>", "<svg viewBox=\"0 0 a b\">", &svg.replace("5.8", "NaN")] {
            assert_eq!(Outlines::parse(other.to_owned()), None, "{other}");
        }
    }
}
