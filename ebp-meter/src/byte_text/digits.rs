//! Hexadecimal digits.

/// What the digits stand for: an even number of them, or a single one.
pub(super) fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match digits.as_bytes() {
        [] => None,
        [only] => Some(vec![digit(*only)?]),
        many if many.len().is_multiple_of(2) => {
            many.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
        }
        _ => None,
    }
}
