//! Unlocking never harms a meter, whatever its list after the PIN looks like: nothing is cleared, and
//! the PIN query stays as it was.

use std::time::Duration;

use crate::unlock_world::World;
use ebp_meter::{
    profile::{Profile, Profiles},
    unlock::{
        AskItem, InfSwitch, Item, Keep, Lasting, Phase, Progress, Stepped, SteppedEnd, Tries,
        UnlockError,
    },
    virtual_meter::{Harm, LockOptions, MenuItem, MenuList},
};
use proptest::prelude::*;

fn lockable() -> Vec<Profile> {
    Profiles::embedded().iter().filter(|profile| profile.pin.is_some()).cloned().collect()
}

fn sourced(profile: &Profile) -> Option<u8> {
    profile.pin.as_ref().unwrap().sourced_inf_presses()
}

fn fresh() -> (tempfile::TempDir, Tries) {
    let folder = tempfile::tempdir().unwrap();
    let tries = Tries::in_folder(folder.path());
    (folder, tries)
}

fn unit(profile: &Profile, menu: &[MenuItem], asks_pin: bool) -> World {
    let options =
        LockOptions { menu: Some(MenuList::new(menu)), asks_pin, ..LockOptions::default() };
    World::new(profile, profile, "1234", options)
}

/// One run as the program does it by itself.
fn default_run(world: &World, pin: &str) -> Result<ebp_meter::unlock::Unlocked, UnlockError> {
    let (_folder, tries) = fresh();
    let asked = world.lock().lock.asks_pin();
    let (result, progress) = world.run(pin, &tries, &world.options());
    let lock = &world.lock().lock;
    assert_eq!(lock.harm(), Harm::default(), "{}: {progress:?}", world.profile.name);
    assert_eq!(lock.asks_pin(), asked, "{}", world.profile.name);
    result
}

/// Every item at every place, forward and backward, and each item missing once.
fn orders() -> Vec<Vec<MenuItem>> {
    let mut orders = Vec::new();
    for (rotation, gone) in MenuItem::ALL.into_iter().enumerate() {
        let mut all = MenuItem::ALL.to_vec();
        all.rotate_left(rotation);
        orders.push(all.iter().copied().filter(|item| *item != gone).collect());
        orders.push(all.clone());
        all.reverse();
        orders.push(all);
    }
    orders
}

#[test]
fn no_order_of_the_list_is_harmed_where_no_source_names_its_place_of_inf() {
    let orders = orders();
    let mut models = 0;
    for profile in lockable().into_iter().filter(|profile| sourced(profile).is_none()) {
        models += 1;
        for order in &orders {
            let unlocked = default_run(&unit(&profile, order, true), "1234").unwrap();
            assert_eq!(unlocked.lasting, Lasting::WhileOpen(Duration::from_secs(120)));
            assert_eq!(unlocked.inf, InfSwitch::Untouched);
            assert!(
                unlocked.seen.unwrap() < Duration::from_secs(20),
                "said as long as it was seen"
            );
            let (every, within) = (Duration::from_secs(100), Duration::from_secs(120));
            assert_eq!(
                Keep::for_profile(&profile, unlocked.lasting),
                Some(Keep::Press { every, within })
            );
        }
    }
    assert!(models >= 15, "{models}");
}

/// The order with InF where the source says, whatever stands elsewhere.
fn with_inf_at(order: &[MenuItem], place: u8) -> Vec<MenuItem> {
    let mut order: Vec<_> = order.iter().copied().filter(|item| *item != MenuItem::Inf).collect();
    let filler = order.clone();
    while order.len() < usize::from(place) {
        order.extend(&filler);
    }
    order.insert(place.into(), MenuItem::Inf);
    order
}

#[test]
fn a_source_for_the_place_of_inf_is_enough_whatever_stands_around_it() {
    let mut models = 0;
    for profile in lockable() {
        let Some(place) = sourced(&profile) else { continue };
        models += 1;
        for order in orders() {
            let world = unit(&profile, &with_inf_at(&order, place), true);
            let unlocked = default_run(&world, "1234").unwrap();
            assert_eq!((unlocked.lasting, unlocked.inf), (Lasting::Permanent, InfSwitch::On));
        }
        // Its list as far as the source describes it, with InF gone or one item off.
        for options in [
            LockOptions { inf_offered: false, ..LockOptions::default() },
            shifted(&profile, place - 1),
            shifted(&profile, place + 1),
        ] {
            let world = World::new(&profile, &profile, "1234", options);
            let unlocked = default_run(&world, "1234").unwrap();
            assert_eq!(unlocked.inf, InfSwitch::WithoutEffect, "it is not told as if it helped");
        }
    }
    assert!(models >= 2, "{models}");
}

fn shifted(profile: &Profile, place: u8) -> LockOptions {
    let mut timing = profile.pin.clone().unwrap();
    timing.menu.as_mut().unwrap().inf_presses = place;
    LockOptions { menu: Some(MenuList::from_profile(&timing)), ..LockOptions::default() }
}

#[test]
fn a_meter_whose_pin_query_is_off_is_left_so_and_told() {
    let orders = orders();
    for profile in lockable() {
        for order in orders.iter().step_by(7) {
            let world = unit(&profile, order, false);
            let unlocked = default_run(&world, "1234").unwrap();
            assert!(unlocked.pin_was_needless, "{}", profile.name);
            assert_eq!(unlocked.inf, InfSwitch::Untouched);
        }
    }
}

#[test]
fn a_count_that_is_off_by_one_is_told_and_never_taken_for_a_success() {
    for profile in lockable() {
        let Some(menu) = &profile.pin.as_ref().unwrap().menu else { continue };
        for presses in [menu.inf_presses - 1, menu.inf_presses + 1] {
            let world = World::new(&profile, &profile, "1234", LockOptions::default());
            let (_folder, tries) = fresh();
            let mut options = world.options();
            options.inf_presses = Some(presses);
            let unlocked = world.run("1234", &tries, &options).0.unwrap();
            assert_eq!(unlocked.inf, InfSwitch::WithoutEffect, "{} {presses}", profile.name);
            assert_eq!(unlocked.lasting, Lasting::WhileOpen(Duration::from_secs(120)));
            assert!(!world.lock().lock.is_inf_on());
        }
    }
}

/// An owner who reads the display of the simulated meter.
struct Owner {
    world: World,
    /// How long an answer takes.
    answers_after: Duration,
    says_yes: bool,
    gives_up_at: Option<u8>,
    held: usize,
}

impl Owner {
    fn new(world: &World) -> Self {
        let answers_after = Duration::from_secs(6);
        let world = world.clone();
        Self { world, answers_after, says_yes: true, gives_up_at: None, held: 0 }
    }
}

impl AskItem for Owner {
    fn item(&mut self, presses: u8) -> Option<Item> {
        self.world.pass(self.answers_after);
        if self.gives_up_at == Some(presses) {
            return None;
        }
        let inner = self.world.lock();
        Some(match inner.lock.item() {
            Some(MenuItem::Inf) if inner.lock.is_inf_on() => Item::InfOn,
            Some(MenuItem::Inf) => Item::InfOff,
            Some(item) => Item::Other(item.to_string()),
            // A slow owner answers what stood there before the list closed.
            None => Item::InfOff,
        })
    }

    fn may_hold(&mut self) -> bool {
        self.world.pass(self.answers_after);
        self.held += 1;
        self.says_yes
    }
}

fn step(world: &World, owner: &mut Owner) -> Stepped {
    let (_folder, tries) = fresh();
    let stepped = world.step("1234", &tries, &world.options(), owner).0.unwrap();
    assert_eq!(world.lock().lock.harm(), Harm::default(), "{}", world.profile.name);
    stepped
}

#[test]
fn step_by_step_inf_is_found_wherever_it_stands() {
    for profile in lockable() {
        for order in orders().into_iter().step_by(3) {
            let has_inf = order.contains(&MenuItem::Inf);
            let world = unit(&profile, &order, true);
            let stepped = step(&world, &mut Owner::new(&world));
            let place = order.iter().position(|item| *item == MenuItem::Inf);
            assert_eq!(stepped.inf_presses, place.map(|place| u8::try_from(place).unwrap()));
            assert_eq!(world.lock().lock.is_inf_on(), has_inf, "{}", profile.name);
            if has_inf {
                assert_eq!(stepped.end, SteppedEnd::Held);
                assert_eq!(stepped.unlocked.inf, InfSwitch::On);
                assert_eq!(stepped.unlocked.lasting, Lasting::Permanent);
            } else {
                assert_eq!(stepped.end, SteppedEnd::NotFound);
                assert_eq!(stepped.unlocked.inf, InfSwitch::Untouched);
            }
        }
    }
}

#[test]
fn without_an_explicit_yes_in_time_no_long_press_is_sent() {
    for profile in lockable() {
        let order = [MenuItem::P, MenuItem::Inf, MenuItem::Pin];
        let world = unit(&profile, &order, true);
        let mut owner = Owner::new(&world);
        owner.says_yes = false;
        assert_eq!(step(&world, &mut owner).end, SteppedEnd::GivenUp);
        assert!(!world.lock().lock.is_inf_on() && owner.held == 1);

        let world = unit(&profile, &order, true);
        let mut owner = Owner::new(&world);
        owner.gives_up_at = Some(1);
        assert_eq!(step(&world, &mut owner).end, SteppedEnd::GivenUp);
        assert_eq!(owner.held, 0);

        // So slow that the list has closed, or is about to.
        for seconds in [56, 58, 60, 75, 119, 121, 400] {
            let world = unit(&profile, &order, true);
            let mut owner = Owner::new(&world);
            owner.answers_after = Duration::from_secs(seconds);
            assert_eq!(step(&world, &mut owner).end, SteppedEnd::ListClosed, "{seconds}");
            assert!(!world.lock().lock.is_inf_on());
        }
    }
}

#[test]
fn inf_that_is_on_already_is_not_switched_off() {
    let profiles = Profiles::embedded();
    let easy = profiles.get("EASY").unwrap();
    let world = World::new(easy, easy, "1234", LockOptions::default());
    let mut owner = Owner::new(&world);
    assert_eq!(step(&world, &mut owner).end, SteppedEnd::Held);
    let again = step(&world, &mut owner);
    assert_eq!((again.end, again.unlocked.already), (SteppedEnd::AlreadyOn, true));
    assert!(world.lock().lock.is_inf_on());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any model, any list, any PIN of the unit beside the one that is entered, and presses that are
    /// lost or doubled on their way: nothing is harmed by what the program does by itself.
    #[test]
    fn no_list_and_no_press_off_by_one_harms(
        model in 0_usize..1000,
        list in prop::collection::vec(prop::sample::select(MenuItem::ALL.to_vec()), 1..20),
        pin in "[0-9]{4}",
        digit in 0_usize..4,
        by in prop::sample::select(vec![0_u8, 1, 9]),
        wake_off in prop::sample::select(vec![-1_i8, 0, 1]),
        asks_pin in any::<bool>(),
        inf_offered in any::<bool>(),
    ) {
        let models = lockable();
        let profile = &models[model % models.len()];
        // The unit's PIN is one press more or less than what is entered.
        let mut own: Vec<u8> = pin.bytes().map(|byte| byte - b'0').collect();
        own[digit] = (own[digit] + by) % 10;
        let own: String = own.iter().map(u8::to_string).collect();
        let mut truth = profile.clone();
        let timing = truth.pin.as_mut().unwrap();
        timing.wake_presses = timing.wake_presses.saturating_add_signed(wake_off).max(1);
        let list = match sourced(profile) {
            Some(place) if inf_offered => with_inf_at(&list, place),
            // What a sourced list is like without InF nobody says: as the source describes it.
            Some(_) => MenuList::from_profile(profile.pin.as_ref().unwrap()).items().to_vec(),
            None => list,
        };
        let options = LockOptions {
            menu: Some(MenuList::new(&list)),
            inf_offered,
            asks_pin,
            ..LockOptions::default()
        };
        let world = World::new(profile, &truth, &own, options);
        let (_folder, tries) = fresh();
        let (_, progress) = world.run(&pin, &tries, &world.options());
        let lock = &world.lock().lock;
        prop_assert_eq!(lock.harm(), Harm::default(), "{} {:?}", &profile.name, progress);
        prop_assert_eq!(lock.asks_pin(), asks_pin);
        if sourced(profile).is_none() {
            let long = |step: &Progress| matches!(step, Progress::Step { phase: Phase::Switch, .. });
            prop_assert!(!progress.iter().any(long));
        }
    }
}
