//! The geodata that are embedded in the program: Germany's, if it was built with feature `germany`.
//!
//! Enters: nothing. Leaves: [`Regions`]. Absent: files; `data/README.md` says where the data are from.

use crate::Regions;

/// Germany's 401 NUTS-3 regions (NUTS 2021) with their population densities of 2018; `None` if this
/// was built without feature `germany`. Anything derived from them must be published with the
/// notices of their [`provenance`](Regions::provenance).
#[must_use]
pub fn embedded() -> Option<&'static Regions> {
    #[cfg(feature = "germany")]
    {
        use std::sync::LazyLock;

        use crate::geodata::Geodata;

        static GERMANY: LazyLock<Option<Regions>> = LazyLock::new(|| {
            let bytes = include_bytes!("../data/germany.ebpgeo");
            // A test reads them: they are part of the program like its code.
            Geodata::from_compact(bytes).ok().and_then(|geodata| Regions::new(geodata).ok())
        });
        GERMANY.as_ref()
    }
    #[cfg(not(feature = "germany"))]
    None
}

#[cfg(all(test, feature = "germany"))]
mod tests {
    use crate::Position;

    #[test]
    fn germany_is_there_with_whom_to_name() {
        let regions = super::embedded().unwrap();
        assert_eq!(regions.iter().count(), 401);
        let wiesbaden = regions.at(Position::new(50.0782, 8.2398).unwrap()).unwrap();
        assert_eq!((wiesbaden.code().as_str(), wiesbaden.density()), ("DE714", 1_365.0));
        let notices = regions.provenance().notices.join("\n");
        for named in ["© GeoBasis-DE / BKG (2024)", "dl-de/by-2-0", "2022-12-31", "Destatis"] {
            assert!(notices.contains(named), "{named}: {notices}");
        }
    }
}
