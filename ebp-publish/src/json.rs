//! A JSON value over HTTP on this machine: the latest reading of each meter.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    board::Board,
    config::JsonConfig,
    error::PublishError,
    listener::{Listener, Site},
    mailbox::{Post, Taken, Work},
    output::Output,
};

/// How often it is looked whether the program ends.
const LOOK: Duration = Duration::from_secs(3600);

/// Starts the output.
pub(crate) fn start(config: &JsonConfig) -> Result<Work, PublishError> {
    let board = Arc::new(Board::new(config.interval));
    let shown = Arc::clone(&board);
    let site = Site {
        path: "/",
        content_type: "application/json",
        body: Box::new(move || text(&shown.posts())),
    };
    let listener = Listener::start(config.listen.0, Output::Json, site)?;
    Ok(Box::new(move |mailbox| {
        let _listener = listener;
        loop {
            match mailbox.take(LOOK) {
                Taken::Posts(posts) => board.put(posts),
                Taken::Nothing => {}
                Taken::Closed => return,
            }
        }
    }))
}

fn text(posts: &[Post]) -> String {
    let meter = |(meter, reading): &Post| {
        let mut object = reading.to_json();
        object.insert("meter".to_owned(), Value::String(meter.uuid.to_string()));
        object.insert("model".to_owned(), json!(meter.model));
        Value::Object(object)
    };
    let meters: Vec<Value> = posts.iter().map(meter).collect();
    json!({"meters": meters}).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{Meter, Reading};

    #[test]
    fn each_meter_with_its_latest_reading() {
        let meter = Meter::new("6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002".parse().unwrap(), None);
        let reading = Reading {
            export_kwh: Some("1.0".parse().unwrap()),
            ..Reading::new(jiff::Timestamp::UNIX_EPOCH)
        };
        let text: Value = serde_json::from_str(&text(&[(meter, reading)])).unwrap();
        let expected: Value = serde_json::from_str(
            r#"{"meters":[{"meter":"6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002","model":null,
                "export_kwh":1.0,"read_at":"1970-01-01T00:00:00Z"}]}"#,
        )
        .unwrap();
        assert_eq!(text, expected);
    }
}
