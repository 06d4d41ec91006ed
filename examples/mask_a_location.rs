//! Masks a place by Germany's regions: a random one, the further away the fewer people live there.
//!
//! `cargo run -p ebp-anon --features germany --example mask_a_location -- 50.85 7.10`

use std::error::Error;

use ebp_anon::{OsRandomness, Position, mask};

fn main() -> Result<(), Box<dyn Error>> {
    let place: Vec<String> = std::env::args().skip(1).collect();
    let (latitude, longitude) = match place.as_slice() {
        [latitude, longitude] => (latitude.as_str(), longitude.as_str()),
        _ => ("50.85", "7.10"),
    };
    let regions = ebp_anon::embedded().ok_or("built without regions: add --features germany")?;
    let origin = Position::parse(latitude, longitude)?;
    let release = mask(regions, origin, &mut OsRandomness::new())?;
    let [latitude, longitude] = release.position().decimals();
    println!("{latitude} {longitude}");
    Ok(())
}
