//! Turns a validator's errors into plain text that quotes nothing of the body.

use ebp_core::{
    contract::Fault,
    phrase::{counted, counted_as},
    plain_text::{LINE, LINES, MAYBE_EMPTY_LINE, find_hidden, find_hidden_in_lines},
};
use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

/// The faults behind one of the validator's errors: a missing or unknown member is reported at its
/// own place, and for alternatives the faults of the one that was meant are reported.
pub fn faults(error: ValidationError<'_>) -> Vec<Fault> {
    let parts = error.into_parts();
    let place = parts.instance_path.as_str().to_owned();
    let fault = |detail: String| vec![Fault { pointer: place.clone(), detail }];
    match parts.kind {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Fault { pointer: member(&place, name), detail: "is missing".to_owned() }]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected
                .iter()
                .map(|name| Fault {
                    pointer: member(&place, name),
                    detail: "is no member that is known".to_owned(),
                })
                .collect()
        }
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => {
            // `null` stands for an optional member.
            let meant = context.into_iter().rfind(|errors| !errors.iter().all(is_null_wanted));
            meant.into_iter().flatten().flat_map(faults).collect()
        }
        Kind::Pattern { pattern } => match hidden_in(&pattern, &parts.instance) {
            Some(hidden) => fault(format!(
                "must not have the invisible character U+{:04X}: delete it",
                u32::from(hidden)
            )),
            None => fault(words(&Kind::Pattern { pattern })),
        },
        kind => fault(words(&kind)),
    }
}

/// The character for which a text was refused, unless it is one of the usual control characters.
fn hidden_in(pattern: &str, text: &Value) -> Option<char> {
    let text = text.as_str()?;
    let hidden = match pattern {
        LINE | MAYBE_EMPTY_LINE => find_hidden(text),
        LINES => find_hidden_in_lines(text),
        _ => None,
    };
    hidden.filter(|hidden| !hidden.is_control())
}

fn is_null_wanted(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), Kind::Type { kind: TypeKind::Single(JsonType::Null) })
}

/// The pointer to a member (RFC 6901, section 3: `~` and `/` are escaped).
pub fn member(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn words(kind: &Kind) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(wanted) } => format!("must be {}", type_name(*wanted)),
        Kind::Type { kind: TypeKind::Multiple(wanted) } => {
            let names: Vec<_> = wanted.iter().map(type_name).collect();
            format!("must be {}", names.join(" or "))
        }
        Kind::Enum { options } => {
            let names: Vec<_> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            format!("must be one of {}", names.join(", "))
        }
        Kind::Minimum { limit } => format!("must be {limit} or more"),
        Kind::Maximum { limit } => format!("must be {limit} or less"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MinLength { limit } => format!("must have {} or more", counted(*limit, "character")),
        Kind::MaxLength { limit } => format!("must have {} or less", counted(*limit, "character")),
        Kind::MinItems { limit } => {
            format!("must have {} or more", counted_as(*limit, "entry", "entries"))
        }
        Kind::MaxItems { limit } => {
            format!("must have {} or less", counted_as(*limit, "entry", "entries"))
        }
        Kind::UniqueItems => "must not have the same entry twice".to_owned(),
        Kind::Format { format } => match format.as_str() {
            "uuid" => "must be a UUID".to_owned(),
            "date" => "must be a date that exists, as YYYY-MM-DD".to_owned(),
            "date-time" => "must be a time as in RFC 3339".to_owned(),
            other => format!("must be of the form `{other}`"),
        },
        Kind::Pattern { pattern } => match pattern.as_str() {
            EMAIL => "must be an e-mail address, name@domain in ASCII".to_owned(),
            "^[A-Z]{2}$" => "must be two capital letters (ISO 3166-1), such as DE".to_owned(),
            LINE | LINES | MAYBE_EMPTY_LINE => {
                "must have a visible character and no control character".to_owned()
            }
            other => format!("must be of the form {other}"),
        },
        _ => "is not of its form".to_owned(),
    }
}

/// That of [`ebp_core::model::Participant`]'s address (WHATWG's).
const EMAIL: &str = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*$";

const fn type_name(wanted: JsonType) -> &'static str {
    match wanted {
        JsonType::Array => "an array",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a text",
    }
}
