//! The description of the page's files for programs (OpenAPI 3.1), made of the contract's schemas, and
//! that the page answers as it says.

use std::{env, fs, path::Path};

use ebp_core::contract::EnergySeries;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::world::{Browser, GRID, World};

/// A header or text of an answer.
fn text(description: &str, media_type: &str) -> Value {
    let schema = json!({ "type": "string" });
    json!({ "description": description, "content": { (media_type): { "schema": schema } } })
}

/// An operation: its query, and what is answered to somebody who is signed in.
fn operation(id: &str, summary: &str, parameters: Value, done: Value) -> Value {
    let page = |description: &str| text(description, "text/html");
    json!({ "get": {
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": done,
            "303": { "description": "Nobody is signed in: the sign-in page" },
            "403": page("The server does not accept the page's certificate"),
            "410": page("Consent was revoked: the final page"),
            "421": page("`Host` is no name of this device"),
            "503": page("The server cannot be reached"),
        },
    }})
}

fn with_status(mut operation: Value, status: &str, answer: Value) -> Value {
    operation["get"]["responses"][status] = answer;
    operation
}

fn query(name: &str, schema: Value, description: &str) -> Value {
    json!({ "name": name, "in": "query", "required": name == "meter", "schema": schema,
            "description": description })
}

fn document() -> Value {
    let mut schemas = Vec::new();
    EnergySeries::schemas(&mut schemas);
    schemas.push((EnergySeries::name().into_owned(), EnergySeries::schema()));
    let schemas: Map<String, Value> = schemas
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap()))
        .collect();
    let period = || {
        vec![
            query(
                "period",
                json!({ "enum": ["day", "week", "month", "year"] }),
                "By default a day",
            ),
            query(
                "date",
                json!({ "type": "string", "format": "date" }),
                "A day of it, by default today",
            ),
        ]
    };
    let mut of_csv = period();
    of_csv.push(query(
        "form",
        json!({ "enum": ["rfc4180"] }),
        "By default semicolons, decimal commas and a byte order mark, as German spreadsheets read it",
    ));
    let json_series = json!({
        "description": "Energy by quarter hours, days or months",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/EnergySeries" } } },
    });
    let everything = json!({
        "description": "As `GET /household/export` of the Data API",
        "content": { "application/json": { "schema": { "type": "object" } } },
    });
    let unreadable = || json!({ "description": "The period reaches beyond the calendar" });
    let meter = query("meter", json!({ "type": "string", "format": "uuid" }), "Whose measurements");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ebp: files of a device's page",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a household can take away from the page of its measurement device. \
                            Whoever asks has signed in on the page by the printed code. A member of a \
                            query that cannot be read is taken as not given.",
        },
        "security": [{ "session": [] }],
        "paths": {
            "/measurements.json": with_status(
                operation("series", "A period's energy", json!(period()), json_series),
                "400", unreadable()),
            "/measurements.csv": with_status(
                operation("table", "A period's energy as a table", json!(of_csv),
                    text("Columns start, import_kwh, export_kwh, generation_kwh, coverage", "text/csv")),
                "400", unreadable()),
            "/data.json": operation("everything", "Everything about the household", json!([]), everything),
            "/data.csv": with_status(
                operation("measurements", "A meter's measurements as they were received",
                    json!([meter]), text("RFC 4180", "text/csv")),
                "404", text("There is no such meter", "text/html")),
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": { "session": {
                "type": "apiKey", "in": "cookie", "name": "ebp_session_80",
                "description": "The number is the port at which the page is served",
            }},
        },
    })
}

#[test]
fn the_kept_description_is_of_this_version() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi-device.json");
    let text = format!("{:#}\n", document());
    if env::var_os("EBP_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "docs/openapi-device.json is old: EBP_BLESS=1 writes it anew");
}

/// Each operation gives what is described, to those who are signed in; nothing else gives files.
#[tokio::test]
async fn the_page_answers_as_described() {
    let document = document();
    let world = World::new();
    let mut nobody = Browser::new(&world);
    let mut visitor = Browser::signed_in(&world).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        let described = item["get"]["responses"].as_object().unwrap();
        let asked = if path == "/data.csv" { format!("{path}?meter={GRID}") } else { path.clone() };
        assert_eq!(nobody.get_once(&asked).await.status, 303, "{path}");
        let answer = visitor.get_once(&asked).await;
        assert_eq!(answer.status, 200, "{path}");
        let media_type = described["200"]["content"].as_object().unwrap().keys().next().unwrap();
        assert!(answer.header("content-type").starts_with(media_type), "{path}");
        if described.contains_key("400") {
            let answer = visitor.get_once(&format!("{path}?date=9999-12-31")).await;
            assert_eq!(answer.status, 400, "{path}");
        }
        world.cloud.change(|server| server.away = true);
        assert_eq!(visitor.get_once(&asked).await.status, 503, "{path}");
        world.cloud.change(|server| server.away = false);
    }
    let series: EnergySeries =
        serde_json::from_str(&visitor.get_once("/measurements.json").await.body).unwrap();
    let members = serde_json::to_value(&series).unwrap();
    let known = &document["components"]["schemas"]["EnergySeries"]["properties"];
    for member in members.as_object().unwrap().keys() {
        assert!(known.get(member).is_some(), "{member} is not described");
    }
}
