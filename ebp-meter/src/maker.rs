//! The makers of electricity meters by their three letters.
//!
//! Enters: a FLAG id. Leaves: its maker's name. Absent: models.
//!
//! The letters are the FLAG ids that the DLMS User Association gives out (dlms.com/flag-id). The
//! names are from its list as m-bus.de/man.html copied it, except those marked, which telegrams and
//! faces of meters show.

/// FLAG ids in the order of their letters, with their makers.
const MAKERS: &[(&str, &str)] = &[
    ("ABB", "ABB"),
    ("ACE", "Actaris"),
    ("AMP", "Ampy"),
    ("APA", "Apator"),
    ("DNT", "Dr. Neuhaus"), // telegram of a SMARTY
    ("DZG", "DZG Metering"),
    ("EBZ", "eBZ"), // telegram of a DD3
    ("EDM", "EDMI"),
    ("EFR", "EFR"), // telegram of an SGM
    ("ELS", "Elster"),
    ("EMH", "EMH metering"),
    ("EMO", "Enermet"),
    ("EMU", "EMU Elektronik"),
    ("ENT", "ENTES"),
    ("ESY", "EasyMeter"), // telegram of a Q3A
    ("GEC", "GEC Meters"),
    ("HEL", "Heliowatt"),
    ("HLY", "Holley"), // telegram of a DTZ541
    ("ISK", "Iskraemeco"),
    ("ITR", "Itron"),
    ("ITZ", "Itron"), // telegram of an OpenWay
    ("KAM", "Kamstrup"),
    ("KFM", "Kaifa"), // face of an MB310
    ("LGB", "Landis+Gyr"),
    ("LGD", "Landis+Gyr"),
    ("LGZ", "Landis+Gyr"),
    ("LOG", "Logarex"), // telegram of an LK13BE
    ("LSZ", "Siemens Building Technologies"),
    ("LUG", "Landis & Staefa"),
    ("NZR", "NZR"),                       // face of a meter
    ("PAF", "Pafal"),                     // telegram of a 5EC3gr
    ("PPC", "Power Plus Communications"), // face of a gateway
    ("SAG", "Sagemcom"),                  // telegram of a Siconia
    ("SIE", "Siemens"),
    ("SLB", "Schlumberger"),
    ("ZIV", "ZIV"),
    ("ZPA", "ZPA"), // face of a GH305
];

/// The name of the maker with that FLAG id, whatever its case (IEC 62056-21 lets a maker write its
/// third letter small to ask for a faster answer).
#[must_use]
pub fn maker_name(flag: &str) -> Option<&'static str> {
    MAKERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(flag)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    #[test]
    fn letters_are_in_order_and_every_model_has_its_maker() {
        assert!(MAKERS.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!(maker_name("ISk"), Some("Iskraemeco"));
        assert_eq!(maker_name("QQQ"), None);
        for profile in Profiles::embedded().iter() {
            let name = maker_name(profile.flag.as_str());
            assert!(name.is_some_and(|name| name.starts_with(&profile.maker)), "{}", profile.name);
        }
    }
}
