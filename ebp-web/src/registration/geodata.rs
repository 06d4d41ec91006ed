//! Of what the regions are by which households are masked that revoke their consent.

use askama::Template;
use axum::response::Response;
use ebp_survey::RegionsInUse;

use crate::{
    cloud::Researcher,
    kit::{frame::Frame, number::number},
};

#[derive(Template)]
#[template(path = "registration/geodata.html")]
struct Page {
    frame: Frame,
    regions: Option<RegionsInUse>,
    count: String,
    withheld: u64,
}

/// `GET /registration/geodata`.
pub async fn show(Researcher { visitor, caller }: Researcher) -> Response {
    let withheld = match caller.household_counts().await {
        Ok(counts) => counts.withheld,
        Err(error) => return visitor.fail(error),
    };
    let regions = caller.geodata();
    let count = regions.as_ref().map_or(0, |regions| regions.count);
    let page = Page {
        frame: visitor.frame(visitor.language().say("menu-geodata")),
        count: number(visitor.language(), count.into(), 0),
        regions,
        withheld,
    };
    visitor.show(&page)
}
