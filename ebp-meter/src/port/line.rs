//! Line settings of a serial port: speed, bits and parity.

use std::fmt;

/// Bits and parity of a character on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// 8 data bits, no parity, 1 stop bit: SML.
    EightNone,
    /// 7 data bits, even parity, 1 stop bit: IEC 62056-21.
    SevenEven,
}

/// Line settings of a serial port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// Bits and parity.
    pub framing: Framing,
}

impl LineSettings {
    /// 9600 8N1, at which nearly all meters push SML.
    pub const SML: Self = Self { baud: 9600, framing: Framing::EightNone };
    /// 9600 7E1, at which IEC 62056-21 mode D is pushed.
    pub const D0_PUSH: Self = Self { baud: 9600, framing: Framing::SevenEven };
    /// 300 7E1, at which IEC 62056-21 modes A to C begin.
    pub const D0_REQUEST: Self = Self { baud: 300, framing: Framing::SevenEven };
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let framing = match self.framing {
            Framing::EightNone => "8N1",
            Framing::SevenEven => "7E1",
        };
        write!(f, "{} {framing}", self.baud)
    }
}
