//! Whether a body is of the form that the API publishes.
//!
//! Enters: JSON. Leaves: every [`Fault`] of it, by the very schemas that `/openapi.json` holds, so
//! that what is published and what is checked cannot differ. Absent: what no schema can say (two
//! members that contradict each other, what is registered already); the store knows that.

mod number;
mod words;

use std::{collections::HashMap, sync::LazyLock};

use ebp_core::contract::Fault;
use jsonschema::Validator;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::openapi;
pub use number::plain;
pub use words::member;

/// One for each body of a request, by its schema's name.
static VALIDATORS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let document = openapi::document();
    let names = openapi::request_bodies();
    let validator = |name: String| {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#/components/schemas/{name}"),
            "components": document["components"],
        });
        let validator = jsonschema::options().should_validate_formats(true).build(&schema);
        // A test builds them all: none is missing.
        Some((name, validator.ok()?))
    };
    names.into_iter().filter_map(validator).collect()
});

/// Every fault of a body of type `T`, in the order of their places, one for each place.
#[must_use]
pub fn faults<T: ToSchema>(body: &Value) -> Vec<Fault> {
    let Some(validator) = VALIDATORS.get(T::name().as_ref()) else {
        let detail = "is of a kind that cannot be checked".to_owned();
        return vec![Fault { pointer: String::new(), detail }];
    };
    let mut faults: Vec<_> = validator.iter_errors(body).flat_map(words::faults).collect();
    faults.sort();
    faults.dedup();
    faults.dedup_by(|next, first| {
        let same = next.pointer == first.pointer;
        if same {
            first.detail = format!("{}, and {}", first.detail, next.detail);
        }
        same
    });
    faults
}

#[cfg(test)]
mod tests;
