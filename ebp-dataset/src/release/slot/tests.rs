//! Slots of made-up households, and what follows from the sums that are published.

use proptest::prelude::*;

use super::*;

/// A household with a balance that draws, generates and feeds in so much.
fn member(import: f64, generation: f64, export: f64) -> Member<'static> {
    let consumption = import + generation - export;
    Member {
        region: None,
        energies: [consumption, export, generation, import].map(Some),
        has_system: generation > 0.0,
    }
}

/// One whose balance is not known.
fn drawing(import: f64) -> Member<'static> {
    Member { energies: [None, None, None, Some(import)], ..member(import, 0.0, 0.0) }
}

/// Sixty, of whom so many generate.
fn sixty(systems: usize) -> Vec<Member<'static>> {
    let one = |place: usize| {
        let import = 0.05 + place as f64 / 200.0;
        if place < systems { member(import, 0.8, 0.3) } else { member(import, 0.0, 0.0) }
    };
    (0..60).map(one).collect()
}

/// Names and counts of the country's rows.
fn rows(members: &[Member<'_>]) -> Vec<(&'static str, usize)> {
    let rows = publish_slot(members);
    assert_eq!(check_slot(members, &rows), Ok(()));
    let country = rows.iter().filter(|row| row.region.is_none());
    country.map(|row| (row.quantity.name(), row.distribution.households)).collect()
}

/// Rows as they were made of each quantity by itself.
fn apart<'a>(members: &[Member<'a>]) -> Vec<GroupRow<'a>> {
    let row = |quantity: Quantity| row(members, None, quantity, known(members, quantity as usize));
    Quantity::ALL.into_iter().filter_map(row).collect()
}

const ALL_SIXTY: [(&str, usize); 4] =
    [("consumption", 60), ("export", 60), ("generation", 60), ("import", 60)];

#[test]
fn a_single_system_is_not_told_by_what_is_consumed_and_drawn() {
    let members = sixty(1);
    assert_eq!(rows(&members), [("import", 60)]);
    // Nine are too few, too, ten are enough; nobody has nothing to hide.
    assert_eq!(rows(&sixty(9)), [("import", 60)]);
    assert_eq!(rows(&sixty(10)), ALL_SIXTY);
    assert_eq!(rows(&sixty(0)), ALL_SIXTY);
    let before: Vec<_> =
        apart(&members).into_iter().filter(|row| row.quantity != Quantity::Generation).collect();
    let found = check_slot(&members, &before).unwrap_err();
    assert!(found.contains("the country"), "{found}");
}

#[test]
fn who_has_no_balance_is_not_told_by_the_others() {
    let mut members = sixty(20);
    members[59] = drawing(1.5);
    let four = [("consumption", 50), ("export", 50), ("generation", 50), ("import", 50)];
    assert_eq!(rows(&members), four);
    let rows = publish_slot(&members);
    assert!(rows.iter().all(|row| !row.households.contains(&59)));
    let mean = |place: usize| rows[place].distribution.mean;
    let off = mean(0) + mean(1) - mean(2) - mean(3);
    assert!(off.abs() < 0.002, "{off}");
    let found = check_slot(&members, &apart(&members)).unwrap_err();
    assert!(found.contains("differ by 1 households"), "{found}");
}

#[test]
fn import_is_of_more_where_they_are_twenty_more() {
    let mut members = sixty(20);
    members[41..].fill(drawing(0.4));
    assert_eq!(rows(&members)[3], ("import", 40));
    members[40] = drawing(0.4);
    assert_eq!(
        rows(&members),
        [("consumption", 40), ("export", 40), ("generation", 40), ("import", 60)]
    );
    // One of them has more than all others of them together.
    members[50] = drawing(9.0);
    assert_eq!(rows(&members)[3], ("import", 40));
}

#[test]
fn own_use_of_one_is_not_told() {
    let mut members = sixty(0);
    for member in &mut members[..20] {
        *member = self::member(0.3, 0.5, 0.5);
    }
    members[7] = member(0.3, 0.5, 0.1);
    assert_eq!(rows(&members), [("generation", 60), ("import", 60)]);
    assert!(check_slot(&members, &apart(&members)).unwrap_err().contains("own use"));
}

#[test]
fn hardly_any_balance_gives_no_two_energies_that_make_a_third() {
    let mut members: Vec<_> = (0..60).map(|_| drawing(0.4)).collect();
    assert_eq!(rows(&members), [("import", 60)]);
    for member in &mut members {
        member.energies[EXPORT] = Some(0.2);
        member.has_system = true;
    }
    assert_eq!(rows(&members), [("export", 60), ("import", 60)]);
    for member in &mut members[..45] {
        member.energies[GENERATION] = Some(0.7);
    }
    assert_eq!(rows(&members), [("generation", 40), ("import", 60)]);
    // Five more than those would be told.
    for member in &mut members[..55] {
        member.energies[GENERATION] = Some(0.7);
    }
    assert_eq!(rows(&members), [("export", 60), ("import", 60)]);
}

#[test]
fn regions_have_what_all_of_them_may_have() {
    let mut members = sixty(60);
    for (place, member) in members.iter_mut().enumerate() {
        member.region = Some(if place < 30 { "DEA" } else { "DEB" });
    }
    let regional = |members: &[Member<'_>]| -> Vec<(String, &str)> {
        let rows = publish_slot(members);
        assert_eq!(check_slot(members, &rows), Ok(()));
        let regional =
            rows.iter().filter_map(|row| Some((row.region?.to_owned(), row.quantity.name())));
        regional.collect()
    };
    assert_eq!(regional(&members).len(), 8);
    // In one of the regions there is one system.
    for member in &mut members[31..] {
        *member = Member { region: Some("DEB"), ..self::member(0.4, 0.0, 0.0) };
    }
    let import = |name: &str| (name.to_owned(), "import");
    assert_eq!(regional(&members), [import("DEA"), import("DEB")]);
    // Who is in no region has one.
    for (place, member) in members.iter_mut().enumerate().skip(30) {
        member.region = (place >= 45).then_some("DEB");
    }
    assert_eq!(regional(&members), [import("DEA"), import("DEB")]);
    // Households without a balance are in one region alone.
    for member in &mut members {
        *member = Member { region: member.region, ..self::member(0.4, 0.5, 0.2) };
    }
    for member in &mut members[..5] {
        *member = Member { region: member.region, ..drawing(0.4) };
    }
    let rows = publish_slot(&members);
    assert!(rows.iter().all(|row| row.households.iter().all(|place| *place >= 5)));
}

fn any_member() -> impl Strategy<Value = Member<'static>> {
    let region = prop_oneof![Just(None), Just(Some("DEA")), Just(Some("DEB")), Just(Some("DEC"))];
    let energies = (0.0_f64..2.0, 0.0_f64..3.0, 0.0_f64..1.0);
    let known = prop_oneof![12 => Just(4), 1 => Just(0), 1 => Just(1), 1 => Just(2)];
    (region, energies, any::<bool>(), known).prop_map(
        |(region, (import, generation, share), has_system, known)| {
            let generation = if has_system { generation } else { 0.0 };
            let mut member = member(import, generation, generation * share);
            // Import alone, or export as well, or what is generated.
            match known {
                0 => member.energies = [None; 4],
                1 => member.energies = [None, None, None, Some(import)],
                2 => member.energies[CONSUMPTION] = None,
                _ => {}
            }
            Member { region, has_system, ..member }
        },
    )
}

proptest! {
    #[test]
    fn what_is_published_tells_of_nobody(
        members in proptest::collection::vec(any_member(), 0..150)
    ) {
        let rows = publish_slot(&members);
        prop_assert_eq!(check_slot(&members, &rows), Ok(()));
        for row in &rows {
            prop_assert!(row.distribution.is_allowed());
        }
        // All four of the country are of the same households, or import of twenty more.
        let country: Vec<_> = rows.iter().filter(|row| row.region.is_none()).collect();
        if let [consumption, export, generation, import] = country[..] {
            prop_assert_eq!(&consumption.households, &export.households);
            prop_assert_eq!(&consumption.households, &generation.households);
            let more = import.households.len() - consumption.households.len();
            prop_assert!(more == 0 || more >= LEAST_MORE);
        }
    }
}
