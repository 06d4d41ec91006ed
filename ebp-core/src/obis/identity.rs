//! Which codes identify a meter, a connection or a household, according to the standards.
//!
//! Unless the table says otherwise, they identify in every medium (group A), channel (B) and
//! storage (F):
//!
//! | code | meaning | source |
//! |---|---|---|
//! | `0.0.x` | electricity, gas, heat or water ID 1 to 10 (the owner's number, the metering point) and the device address; DIN 43863-5's server id in older meters (`0.0.9`) | IEC 62056-6-1, "general purpose objects" of each medium; EDL21 (FNN) |
//! | `96.1.x` (`C.1.x`) | device ID 1 to 10, the metering point; DIN 43863-5's server id (`96.1.0`); of other media's meters, too (DSMR P1: `0-n:96.1.0`) | IEC 62056-6-1, "abstract objects"; DSMR P1 companion standard |
//! | `96.13.x` | messages to the consumer: free text and codes | IEC 62056-6-1; DSMR P1 |
//! | `0-b:42.0.0` | the COSEM logical device name | IEC 62056-6-2 |
//! | `0-b:24.1.x`, `0-b:25.x.x` | M-Bus, IP and Ethernet settings: identification numbers and addresses | IEC 62056-6-2 |
//! | `94.x.x` | identifiers that each country defines | IEC 62056-6-1 |
//! | manufacturer-specific ones | defined by the manufacturer: `129-129:199.130.5`, for example, is a public key | IEC 62056-6-1: 128 to 199 in B, 128 to 199 and 240 in C, 128 to 254 in D, E and F |
//!
//! Other codes with C = 0 and C = 96 do not identify anything: billing periods (`0.1.x`), versions
//! (`0.2.x`), ratios (`0.4.x`), time (`0.9.x`), status and tariff (`96.5.x`, `96.14.x`), the
//! maker's letters (`96.50.1`), checksums of firmware (`96.90.2`).

use super::ObisCode;

impl ObisCode {
    /// Whether the value under this code, number or text, may identify the meter or household. Such
    /// a value is never part of a measurement.
    #[must_use]
    pub const fn identifies(self) -> bool {
        let is_of_standard = matches!(
            self.0,
            [_, _, 0, 0, _, _]
                | [_, _, 96, 1 | 13, _, _]
                | [0, _, 42, 0, _, _]
                | [0, _, 24, 1, _, _]
                | [0, _, 25, _, _, _]
                | [_, _, 94, _, _, _]
        );
        is_of_standard || self.is_of_maker()
    }

    /// Whether the code is manufacturer-specific. 255 in E does not make it so: some meters (Hager
    /// eHZ) use it for the total.
    #[must_use]
    pub const fn is_of_maker(self) -> bool {
        let [a, b, c, d, e, f] = self.0;
        a >= 128
            || matches!(b, 128..=199)
            || c >= 128
            || matches!(d, 128..=254)
            || matches!(e, 128..=254)
            || matches!(f, 128..=254)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifies(text: &str) -> bool {
        text.parse::<ObisCode>().unwrap().identifies()
    }

    #[test]
    fn numbers_of_meters_are_a_kind() {
        for code in [
            "1-0:0.0.9",
            "0.0.0",
            "7-1:0.0.2",
            "1-0:0.0.0*1",
            "1-0:96.1.0",
            "0-0:96.1.0",
            "0-3:96.1.10",
            "0-0:96.1.255",
            "0-0:96.13.0",
            "0-0:42.0.0",
            "0-0:25.2.0",
            "0-1:24.1.0",
            "1-0:94.49.7",
            "129-129:199.130.5",
            "129-129:199.130.3",
            "1-129:1.8.0",
            "1-0:240.1.0",
            "1-0:1.128.0",
            "1-0:1.8.200",
            "1-0:1.8.0*128",
        ] {
            assert!(identifies(code), "{code}");
        }
    }

    #[test]
    fn what_is_measured_identifies_nobody() {
        assert!(ObisCode::SURVEY.iter().all(|code| !code.identifies()));
        for code in [
            "1-0:1.8.0*96",
            "1-0:1.8.0*100",
            "1-0:61.7.255",
            "1-0:42.7.0",
            "1-0:42.0.0",
            "1-0:25.7.0",
            "0-1:24.2.1",
            "1-0:81.7.26",
            "1-0:0.2.0*0",
            "0-0:1.0.0",
            "0.9.1",
            "96.5.5",
            "96.14.0",
            "1-0:96.50.1*1",
            "1-0:96.90.2*1",
        ] {
            assert!(!identifies(code), "{code}");
        }
    }
}
