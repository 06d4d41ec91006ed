//! Which codes are active power: group C of OBIS numbers the kinds separately for each phase.

use ebp_core::obis::ObisCode;

/// How a register of active power says which way it flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// It is power drawn: 1, 21, 41 and 61.
    Drawn,
    /// It is power fed in: 2, 22, 42 and 62.
    FedIn,
    /// It does not: 15, 35, 55 and 75.
    Absolute,
    /// By its sign: 16, 36, 56 and 76.
    Sign,
}

/// The direction of that group C and the phase, 1 to 3, or 0 for all; nothing where it is no active
/// power.
pub(crate) const fn active_power(quantity: u8) -> Option<(Direction, u8)> {
    let phase = quantity / 20;
    let direction = match quantity % 20 {
        1 => Direction::Drawn,
        2 => Direction::FedIn,
        15 => Direction::Absolute,
        16 => Direction::Sign,
        _ => return None,
    };
    if phase <= 3 { Some((direction, phase)) } else { None }
}

/// Whether that is active power as it is now, of all or of one phase, with or without its sign.
pub(crate) const fn is_power(obis: ObisCode) -> bool {
    matches!(obis.0, [1, _, quantity, 7, _, 0 | 255] if active_power(quantity).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_and_of_each_phase() {
        let codes: Vec<u8> = (0..=255).filter(|code| active_power(*code).is_some()).collect();
        assert_eq!(codes, [1, 2, 15, 16, 21, 22, 35, 36, 41, 42, 55, 56, 61, 62, 75, 76]);
        assert_eq!(active_power(16), Some((Direction::Sign, 0)));
        assert_eq!(active_power(61), Some((Direction::Drawn, 3)));
        assert_eq!(active_power(22), Some((Direction::FedIn, 1)));
    }
}
