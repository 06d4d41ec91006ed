//! Reference coordinates are PROJ's (9.5.1, through pyproj 3.7.2), the .prj texts its ESRI and GDAL
//! dialects.

use super::*;

const ETRS89: &str = r#"GEOGCS["GCS_ETRS_1989",DATUM["D_ETRS_1989",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
const DHDN: &str = r#"GEOGCS["GCS_Deutsches_Hauptdreiecksnetz",DATUM["D_Deutsches_Hauptdreiecksnetz",SPHEROID["Bessel_1841",6377397.155,299.1528128]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
const GDAL_LAEA: &str = r#"PROJCS["ETRS89-extended / LAEA Europe",GEOGCS["ETRS89",DATUM["European_Terrestrial_Reference_System_1989",SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]],AUTHORITY["EPSG","6258"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4258"]],PROJECTION["Lambert_Azimuthal_Equal_Area"],PARAMETER["latitude_of_center",52],PARAMETER["longitude_of_center",10],PARAMETER["false_easting",4321000],PARAMETER["false_northing",3210000],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Northing",NORTH],AUTHORITY["EPSG","3035"]]"#;

/// Wiesbaden, Sylt, Garmisch-Partenkirchen.
const PLACES: [(f64, f64); 3] = [(50.0782, 8.2398), (54.9, 8.3), (47.42, 10.98)];

fn mercator(name: &str, geographic: &str, easting: f64, meridian: f64, scale: f64) -> String {
    format!(
        r#"PROJCS["{name}",{geographic},PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",{easting}],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",{meridian}],PARAMETER["Scale_Factor",{scale}],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#
    )
}

/// Each place from its projected coordinates to within a millimetre. (PROJ undoes the shift of DHDN
/// by an approximation that is half of one off.)
fn check(prj: &str, projected: [(f64, f64); 3]) {
    let projection = Projection::parse(prj).unwrap();
    for ((latitude, longitude), (x, y)) in PLACES.into_iter().zip(projected) {
        let found = projection.to_degrees(x, y);
        assert!((found.0 - latitude).abs() < 1e-8, "{}: {found:?}", projection.name);
        assert!((found.1 - longitude).abs() < 1e-8, "{}: {found:?}", projection.name);
    }
}

#[test]
fn utm() {
    check(
        &mercator("ETRS_1989_UTM_Zone_32N", ETRS89, 500_000.0, 9.0, 0.9996),
        [
            (445_607.391_297_462, 5_547_602.138_711_858),
            (455_111.108_216_244, 6_083_887.962_886_462),
            (649_344.499_251_371, 5_253_739.369_196_082),
        ],
    );
    check(
        &mercator("ETRS_1989_UTM_Zone_33N", ETRS89, 500_000.0, 15.0, 0.9996),
        [
            (16_501.663_504_207, 5_569_247.195_679_949),
            (70_678.556_615_099, 6_104_239.701_154_107),
            (196_801.225_035_614, 5_259_677.144_840_167),
        ],
    );
}

/// EPSG 5555 (ETRS89 / UTM zone 32N + DHHN92 height) and 4647 (UTM with the zone before its easting),
/// in which survey offices publish, too.
#[test]
fn utm_with_heights_and_with_its_zone() {
    let zone = mercator("ETRS89 / UTM zone 32N (zE-N)", ETRS89, 32_500_000.0, 9.0, 0.9996);
    let places = [
        (445_607.391_297_462, 5_547_602.138_711_858),
        (455_111.108_216_244, 6_083_887.962_886_462),
        (649_344.499_251_371, 5_253_739.369_196_082),
    ];
    check(&zone, places.map(|(x, y)| (x + 32_000_000.0, y)));
    let utm = mercator("ETRS89 / UTM zone 32N", ETRS89, 500_000.0, 9.0, 0.9996);
    let vertical = r#"["DHHN92 height",VERT_DATUM["DHHN92",2005],UNIT["metre",1],AXIS["Up",UP]]"#;
    for compound in [
        format!(r#"COMPD_CS["with heights",{utm},VERT_CS{vertical}]"#),
        format!(r#"COMPOUNDCRS["with heights",{utm},VERTCRS{vertical}]"#),
    ] {
        check(&compound, places);
    }
    assert_eq!(
        Projection::parse(r#"COMPD_CS["nothing"]"#).unwrap_err(),
        ProjectionError::Missing("PROJCS")
    );
}

#[test]
fn equal_area() {
    check(
        GDAL_LAEA,
        [
            (4_195_006.740_419_638, 2_997_719.064_993_473),
            (4_211_910.369_429_879, 3_533_995.961_007_259),
            (4_394_998.977_871_977, 2_701_200.006_789_455),
        ],
    );
    let centre = Projection::parse(GDAL_LAEA).unwrap().to_degrees(4_321_000.0, 3_210_000.0);
    assert!((centre.0 - 52.0).abs() < 1e-12 && (centre.1 - 10.0).abs() < 1e-12, "{centre:?}");
}

#[test]
fn gauss_kruger_with_the_shift_of_its_datum() {
    for (zone, projected) in [
        (
            2,
            [
                (2_660_359.398_700_962, 5_551_510.959_819_696),
                (2_647_576.901_543_934, 6_088_083.409_126_388),
                (2_875_786.781_788_182, 5_265_542.224_834_815),
            ],
        ),
        (
            3,
            [
                (3_445_660.023_410_731, 5_549_381.685_209_278),
                (3_455_162.908_992_994, 6_085_882.168_430_123),
                (3_649_481.430_803_414, 5_255_402.595_928_139),
            ],
        ),
        (
            4,
            [
                (4_230_986.877_127_857, 5_555_878.338_075_542),
                (4_262_790.566_108_911, 6_091_926.835_102_811),
                (4_423_141.512_057_336, 5_254_002.261_180_96),
            ],
        ),
        (
            5,
            [
                (5_016_445.222_625_729, 5_571_027.246_975_852),
                (5_070_639.934_259_992, 6_106_233.756_321_534),
                (5_196_819.268_812_145, 5_261_334.469_197_909),
            ],
        ),
    ] {
        let easting = f64::from(zone) * 1e6 + 5e5;
        let name = format!("DHDN_3_Degree_Gauss_Zone_{zone}");
        let text = mercator(&name, DHDN, easting, f64::from(zone) * 3.0, 1.0);
        check(&text, projected);
        check(&text.replace("Transverse_Mercator", "Gauss_Kruger"), projected);
    }
    check(
        DHDN,
        [
            (8.240_728_542, 50.079_358_236),
            (8.300_972_061, 54.901_710_763),
            (10.981_295_006, 47.420_843_386),
        ],
    );
}

#[test]
fn degrees_stay() {
    let wgs84 =
        ETRS89.replace("D_ETRS_1989", "D_WGS_1984").replace("298.257222101", "298.257223563");
    for text in [ETRS89, &wgs84, &format!("\u{feff}{ETRS89}\r\n")] {
        let projection = Projection::parse(text).unwrap();
        assert!(projection.is_degrees());
        let (latitude, longitude) = projection.to_degrees(8.2398, 50.0782);
        assert!((latitude - 50.0782).abs() < 1e-12 && (longitude - 8.2398).abs() < 1e-12);
    }
    assert!(!Projection::parse(DHDN).unwrap().is_degrees());
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let utm = mercator("X", ETRS89, 500_000.0, 9.0, 0.9996);
    for (text, named) in [
        (utm.replace("Transverse_Mercator", "Albers"), "Albers"),
        (utm.replace("D_ETRS_1989", "D_Pulkovo_1942"), "D_Pulkovo_1942"),
        (utm.replace("6378137.0", "6378206.4"), "GRS_1980"),
        (utm.replace(r#"UNIT["Meter",1.0]"#, r#"UNIT["Foot",0.3048]"#), "Foot"),
        (utm.replace(r#""Greenwich",0.0"#, r#""Ferro",-17.67"#), "meridian"),
        (utm.replace("Scale_Factor", "Scale"), "scale_factor"),
        (r#"LOCAL_CS["x"]"#.to_owned(), "LOCAL_CS"),
    ] {
        let error = Projection::parse(&text).unwrap_err().to_string();
        assert!(error.contains(named), "{named}: {error}");
    }
    for text in ["", "EPSG:25832", &utm[..utm.len() - 1], &"A[".repeat(1000), "PROJCS[\"", "A[]]"] {
        assert_eq!(Projection::parse(text), Err(ProjectionError::Unreadable));
    }
}

const WGS84: &str = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
/// ETRS89 of the newer text (ISO 19162).
const BASE: &str = r#"BASEGEOGCRS["ETRS89",ENSEMBLE["European Terrestrial Reference System 1989 ensemble",MEMBER["European Terrestrial Reference Frame 1989"],ELLIPSOID["GRS 1980",6378137,298.257222101,LENGTHUNIT["metre",1]],ENSEMBLEACCURACY[0.1]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4258]]"#;
const AXES: &str = r#"CS[Cartesian,2],AXIS["northing (N)",north,ORDER[1],LENGTHUNIT["metre",1]],AXIS["easting (E)",east,ORDER[2],LENGTHUNIT["metre",1]],USAGE[SCOPE["Conformal mapping."],AREA["Germany (onshore)."],BBOX[24.6,-35.58,84.73,44.83]]"#;

/// A parameter of the newer text.
fn parameter(name: &str, value: f64) -> String {
    let unit = match name {
        name if name.contains("ing") => r#"LENGTHUNIT["metre",1]"#,
        name if name.contains("Scale") => r#"SCALEUNIT["unity",1]"#,
        _ => r#"ANGLEUNIT["degree",0.0174532925199433]"#,
    };
    format!(r#"PARAMETER["{name}",{value},{unit},ID["EPSG",8821]]"#)
}

fn conversion(name: &str, method: &str, parameters: &[(&str, f64)]) -> String {
    let parameters: Vec<_> =
        parameters.iter().map(|(name, value)| parameter(name, *value)).collect();
    format!(
        r#"PROJCRS["{name}",{BASE},CONVERSION["{name}",METHOD["{method}",ID["EPSG",9802]],{}],{AXES}]"#,
        parameters.join(",")
    )
}

#[test]
fn conformal_conic() {
    let conic = |projection: &str, easting, northing, meridian, first, second, latitude| {
        format!(
            r#"PROJCS["X",{ETRS89},PROJECTION["{projection}"],PARAMETER["False_Easting",{easting}],PARAMETER["False_Northing",{northing}],PARAMETER["Central_Meridian",{meridian}],PARAMETER["Standard_Parallel_1",{first}],PARAMETER["Standard_Parallel_2",{second}],PARAMETER["Latitude_Of_Origin",{latitude}],UNIT["Meter",1.0]]"#
        )
    };
    let newer = |easting: f64, northing, meridian, first, second, latitude| {
        conversion(
            "X",
            "Lambert Conic Conformal (2SP)",
            &[
                ("Latitude of false origin", latitude),
                ("Longitude of false origin", meridian),
                ("Latitude of 1st standard parallel", first),
                ("Latitude of 2nd standard parallel", second),
                ("Easting at false origin", easting),
                ("Northing at false origin", northing),
            ],
        )
    };
    // EPSG:3034
    let europe = [
        (3_878_338.170_579_266, 2_594_989.688_655_87),
        (3_894_425.525_905_255, 3_113_238.138_925_012),
        (4_071_528.559_305_366, 2_308_361.004_473_07),
    ];
    check(&conic("Lambert_Conformal_Conic", 4e6, 2.8e6, 10.0, 35.0, 65.0, 52.0), europe);
    check(&conic("Lambert_Conformal_Conic_2SP", 4e6, 2.8e6, 10.0, 35.0, 65.0, 52.0), europe);
    check(&newer(4e6, 2.8e6, 10.0, 35.0, 65.0, 52.0), europe);
    // EPSG:5243
    let germany = [
        (-161_634.747_522_277, -99_966.358_244_488),
        (-141_285.869_481_168, 436_008.141_581_295),
        (36_261.372_289_789, -397_944.446_758_864),
    ];
    let (first, second) = (48.666_666_666_666_7, 53.666_666_666_666_7);
    check(&conic("Lambert_Conformal_Conic", 0.0, 0.0, 10.5, first, second, 51.0), germany);
    check(&newer(0.0, 0.0, 10.5, first, second, 51.0), germany);
}

#[test]
fn web_mercator() {
    let places = [
        (917_250.340_238_416, 6_459_829.733_786_408),
        (923_951.773_584_171, 7_342_482.290_188_272),
        (1_222_288.008_910_144, 6_010_900.252_768_109),
    ];
    let esri = format!(
        r#"PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",{WGS84},PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],PARAMETER["Standard_Parallel_1",0.0],PARAMETER["Auxiliary_Sphere_Type",0.0],UNIT["Meter",1.0]]"#
    );
    check(&esri, places);
    let gdal = format!(
        r#"PROJCS["WGS 84 / Pseudo-Mercator",{WGS84},PROJECTION["Mercator_1SP"],PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1],EXTENSION["PROJ4","+proj=merc +a=6378137 +b=6378137 +nadgrids=@null"]]"#
    );
    check(&gdal, places);
    check(
        &conversion(
            "WGS 84 / Pseudo-Mercator",
            "Popular Visualisation Pseudo Mercator",
            &[
                ("Latitude of natural origin", 0.0),
                ("Longitude of natural origin", 0.0),
                ("False easting", 0.0),
                ("False northing", 0.0),
            ],
        ),
        places,
    );
    // The same name for a Mercator projection of the ellipsoid.
    let other = gdal.replace("Pseudo-Mercator", "World Mercator").replace("EXTENSION", "REMARK");
    let error = Projection::parse(&other).unwrap_err().to_string();
    assert!(error.contains("Mercator_1SP"), "{error}");
}

#[test]
fn the_newer_text() {
    let mercator = |name: &str, easting: f64, meridian: f64, scale: f64| {
        conversion(
            name,
            "Transverse Mercator",
            &[
                ("Latitude of natural origin", 0.0),
                ("Longitude of natural origin", meridian),
                ("Scale factor at natural origin", scale),
                ("False easting", easting),
                ("False northing", 0.0),
            ],
        )
    };
    let utm = mercator("ETRS89 / UTM zone 32N", 500_000.0, 9.0, 0.9996);
    let places = [
        (445_607.391_297_462, 5_547_602.138_711_858),
        (455_111.108_216_244, 6_083_887.962_886_462),
        (649_344.499_251_371, 5_253_739.369_196_082),
    ];
    check(&utm, places);
    let bound = format!(r#"BOUNDCRS[SOURCECRS[{utm}],TARGETCRS[{BASE}]]"#);
    check(&bound, places);
    let dhdn = mercator("DHDN / 3-degree Gauss-Kruger zone 3", 3_500_000.0, 9.0, 1.0)
        .replace(
            "European Terrestrial Reference System 1989 ensemble",
            "Deutsches Hauptdreiecksnetz",
        )
        .replace("6378137,298.257222101", "6377397.155,299.1528128");
    check(
        &dhdn,
        [
            (3_445_660.023_410_731, 5_549_381.685_209_278),
            (3_455_162.908_992_994, 6_085_882.168_430_123),
            (3_649_481.430_803_414, 5_255_402.595_928_139),
        ],
    );
    let degrees = BASE.replace("BASEGEOGCRS", "GEOGCRS");
    assert!(Projection::parse(&degrees).unwrap().is_degrees());
    let feet = utm.replace(r#"LENGTHUNIT["metre",1]"#, r#"LENGTHUNIT["foot",0.3048]"#);
    let error = Projection::parse(&feet).unwrap_err().to_string();
    assert!(error.contains("foot"), "{error}");
}
