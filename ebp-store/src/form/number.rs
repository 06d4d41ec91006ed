//! Converts numbers from JSON Schema's notion to that of the program's types.
//!
//! `39.0` is an integer in JSON Schema, but not for Rust's integer types. A number that is nearer
//! to zero than the 28 decimals of an exact decimal is read as zero.

use serde_json::{Number, Value};

/// Below half of the smallest exact decimal.
const NOUGHT: f64 = 1e-29;

/// Rewrites every number in a body as the types read it.
pub fn plain(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(plain) = plainly(number) {
                *number = plain;
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(plain),
        Value::Object(members) => members.values_mut().for_each(plain),
        _ => {}
    }
}

fn plainly(number: &Number) -> Option<Number> {
    if number.is_i64() || number.is_u64() {
        return None;
    }
    if number.as_f64().is_some_and(|value| value.abs() < NOUGHT) {
        return Some(0.into());
    }
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.')?;
    let whole: i64 = whole.parse().ok()?;
    fraction.bytes().all(|digit| digit == b'0').then(|| whole.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let of = |text: &str| {
            let mut value = serde_json::from_str(text).unwrap();
            plain(&mut value);
            value.to_string()
        };
        assert_eq!(
            of(r#"{"a":[39.0,-2.00,39.5,0.10,7,1e2]}"#),
            r#"{"a":[39,-2,39.5,0.10,7,1e2]}"#.replace("1e2", "1e+2")
        );
        assert_eq!(of("[2.2e-311,-0.0,0.0]"), "[0,0,0]");
        assert_eq!(of("1e400").to_lowercase().replace('+', ""), "1e400");
    }
}
