//! Checks whether a body matches the schema that the API publishes.
//!
//! Enters: JSON. Leaves: every [`Fault`] of it, by the contract's schemas, which `/openapi.json`
//! publishes, so that the published and the checked ones cannot differ. Absent: what no schema can
//! express (contradictions between members, what is registered already); the store checks that.

mod number;
pub mod repeated;
mod words;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use ebp_core::contract::{Fault, closed_schemas};
use jsonschema::Validator;
use serde_json::{Value, json};
use utoipa::ToSchema;

pub use number::plain;
pub use words::member;

/// The validators that were built so far, by the name of their schema.
static VALIDATORS: LazyLock<RwLock<HashMap<String, Arc<Validator>>>> =
    LazyLock::new(RwLock::default);

/// The validator of bodies of type `T`; `None` if its schema is invalid.
fn validator<T: ToSchema>() -> Option<Arc<Validator>> {
    let name = T::name().into_owned();
    let known = VALIDATORS.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
    if known.is_some() {
        return known;
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": { "schemas": closed_schemas::<T>() },
    });
    let built = jsonschema::options().should_validate_formats(true).build(&schema).ok()?;
    let built = Arc::new(built);
    VALIDATORS.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&built));
    Some(built)
}

/// Every fault of a body of type `T`, in the order of their places, one for each place.
#[must_use]
pub fn faults<T: ToSchema>(body: &Value) -> Vec<Fault> {
    let Some(validator) = validator::<T>() else {
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
