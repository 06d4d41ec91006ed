//! What somebody finds out about revoked households who may register guesses, revoke them, list and
//! compare: nothing. The rank of the true address among a thousand that the released point allows is
//! uniform.

use ebp_anon::{Position, geodesic_m};
use ebp_store::{ListQuery, Store};

use crate::masking::{consenting, masking, revoke, somewhere};

const CANDIDATES: usize = 1_000;
/// Of the true one's street.
const STREET: usize = 10;

/// Repeatable numbers from 0 to 1 (SplitMix64): what is tested does not draw from it.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A position so many metres to the north and to the east.
fn moved(from: Position, north: f64, east: f64) -> Position {
    let metre = 1.0 / 111_200.0;
    let latitude = from.latitude() + north * metre;
    Position::new(latitude, from.longitude() + east * metre / latitude.to_radians().cos()).unwrap()
}

/// Addresses that may have been released as `released`, the true one first. There is one region, so
/// each is as likely as another.
fn candidates(true_one: Position, released: Position, numbers: &mut Numbers) -> Vec<Position> {
    let within = |place: Position| (835.0..2_538.0).contains(&geodesic_m(place, released));
    let mut candidates = vec![true_one];
    for house in 0..STREET {
        let beside = moved(true_one, 9.0 * (house as f64 - 4.5), 14.0 * (house as f64 - 4.5));
        candidates.extend(Some(beside).filter(|place| within(*place)));
    }
    while candidates.len() < CANDIDATES {
        let (north, east) =
            (5_100.0 * numbers.next() - 2_550.0, 5_100.0 * numbers.next() - 2_550.0);
        candidates.extend(Some(moved(released, north, east)).filter(|place| within(*place)));
    }
    candidates
}

/// The probability that so many uniform numbers are at least so far from uniform
/// (Kolmogorov-Smirnov).
fn kolmogorov_smirnov(mut ranks: Vec<f64>) -> f64 {
    ranks.sort_by(f64::total_cmp);
    let count = ranks.len() as f64;
    let gap = ranks.iter().enumerate().fold(0.0_f64, |gap, (index, rank)| {
        gap.max(rank - index as f64 / count).max((index + 1) as f64 / count - rank)
    });
    let x = (count.sqrt() + 0.12 + 0.11 / count.sqrt()) * gap;
    let term = |k: i32| (-1.0_f64).powi(k - 1) * (-2.0 * f64::from(k * k) * x * x).exp();
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// With so many households: what draws is the same on both databases, and one of them takes far
/// longer for a revocation.
pub async fn guesses_tell_nothing(store: &dyn Store, households: usize) {
    let by = masking();
    store.mask_by(by.clone(), false).await.unwrap();
    let mut numbers = Numbers(12);
    let (mut ranks, mut alike, mut orders) = (Vec::new(), 0, Vec::new());
    for number in 0..households {
        let (north, east) = (0.6 * numbers.next(), 0.6 * numbers.next());
        let place = Position::new(50.6 + north, 6.6 + east).unwrap();
        let register = async |who: &str| {
            let email = format!("{who}{number}@example.org");
            let street = format!("Gasse {number}");
            let registration = somewhere(&email, &street, place.latitude(), place.longitude());
            let household = revoke(store, consenting(store, registration).await).await;
            let location = store.household(household).await.unwrap().location.unwrap();
            (household, Position::new(location.latitude, location.longitude).unwrap())
        };
        let (household, released) = register("household").await;
        orders.push(household.0);
        // Guesses of the very address, of some of them: each takes the database a revocation.
        if number % 10 == 0 {
            alike += usize::from(register("guess").await.1 == released);
        }
        // What revoking a guess of each candidate releases, against what was released of this one.
        let guess = |candidate: Position| {
            let made = by.draw(Some(candidate)).unwrap();
            geodesic_m(Position::new(made.latitude, made.longitude).unwrap(), released)
        };
        let of: Vec<f64> =
            candidates(place, released, &mut numbers).into_iter().map(guess).collect();
        let nearer = of[1..].iter().filter(|metres| **metres < of[0]).count();
        ranks.push((nearer as f64 + numbers.next()) / of.len() as f64);
    }
    let first = ranks.iter().filter(|rank| **rank < 0.001).count();
    let p = kolmogorov_smirnov(ranks);
    println!("the true address ranks first in {first} of {households}, {alike} alike, p = {p}");
    assert_eq!(alike, 0);
    assert!(p > 0.01, "{p}");
    // Nor does a list tell the order in which they were registered.
    let listed = store.registrations(ListQuery { after: None, limit: 1_000 }).await.unwrap().items;
    let places = orders.iter().map(|uuid| listed.iter().position(|it| it.uuid == *uuid).unwrap());
    let places: Vec<f64> = places.map(|place| place as f64 / listed.len() as f64).collect();
    let half = places[..households / 2].to_vec();
    let p = kolmogorov_smirnov(half);
    assert!(p > 0.001, "the earlier half lies apart in the list: {p}");
}
