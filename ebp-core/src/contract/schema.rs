//! JSON schemas of the contract's bodies.

use std::collections::BTreeMap;

use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema, schema::AdditionalProperties},
};

/// The schema of a request's body, and the schemas that it refers to, by name. They are closed: a
/// member that they do not name is a fault.
#[must_use]
pub fn closed_schemas<T: ToSchema>() -> BTreeMap<String, RefOr<Schema>> {
    let mut referred = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut referred);
    let mut schemas: BTreeMap<_, _> = referred.into_iter().collect();
    schemas.values_mut().for_each(close_schema);
    schemas
}

/// Closes a schema: objects may only have the members that it names.
pub fn close_schema(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema
        && !object.properties.is_empty()
    {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}
