//! By what name a measurement device is known in its home network.

use uuid::Uuid;

/// `ebp-` and the last four digits of its identifier, whose first ones are alike where they tell a time.
/// The sheet of the household has it, and whoever sets the device up gives it to the machine.
#[must_use]
pub fn device_host_name(device: Uuid) -> String {
    let digits = device.simple().to_string();
    format!("ebp-{}", &digits[digits.len() - 4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_of_the_last_digits() {
        let device = "0190c0de-0000-7000-8000-0000000A7a3f".parse().unwrap();
        assert_eq!(device_host_name(device), "ebp-7a3f");
    }
}
