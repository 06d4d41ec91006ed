//! `ebp unlock --step`: through the list after the PIN, with the owner in front of the display.
//!
//! Enters: a terminal. Leaves: what the display showed, and InF switched on if the owner said yes.
//! Absent: presses, and when one is still safe, which [`ebp_meter::unlock`] knows.

use std::sync::{Arc, atomic::AtomicBool};

use ebp_core::clock::SystemClock;
use ebp_meter::{
    pace::RealPace,
    port::PortName,
    profile::Profile,
    unlock::{AskItem, Attempt, Item, Stepped, SteppedEnd, Tries},
};

use super::{arguments::Arguments, port::open, secret, show};
use crate::{
    exit::{CommandResult, Failure},
    output::ItemFormat,
    tell::tell,
    terminal::Terminal,
};

/// The person in front of the meter.
struct Owner<'a>(&'a Terminal<'a>);

impl Owner<'_> {
    fn ask(&self, question: &str) -> Option<String> {
        self.0.forget_typed();
        let typed = self.0.ask(question).ok().flatten()?;
        Some(typed.text().to_owned())
    }
}

impl AskItem for Owner<'_> {
    fn item(&mut self, presses: u8) -> Option<Item> {
        let place = match presses {
            0 => "after the PIN".to_owned(),
            1 => "1 press after the PIN".to_owned(),
            n => format!("{n} presses after the PIN"),
        };
        loop {
            let typed = self.ask(&format!(
                "{place}: what does the display show? [exactly, such as 1d or InF OFF; q to give up] "
            ))?;
            match plain(&typed).as_str() {
                "" => {}
                "q" => return None,
                "inf on" | "infon" => return Some(Item::InfOn),
                "inf" | "inf off" | "infoff" => return Some(Item::InfOff),
                _ => return Some(Item::Other(typed)),
            }
        }
    }

    fn may_hold(&mut self) -> bool {
        let typed = self.ask(
            "Does the display still show InF OFF? A long press at another item may clear energies or the \
             history, or switch the PIN query off. Send it? [yes, anything else is no] ",
        );
        typed.is_some_and(|typed| plain(&typed) == "yes")
    }
}

/// Small letters, single spaces.
fn plain(typed: &str) -> String {
    typed.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Enters the PIN and walks.
pub fn run(
    arguments: &Arguments,
    profile: &Profile,
    port: &PortName,
    tries: &Tries,
    stop: &Arc<AtomicBool>,
) -> CommandResult {
    let Some(terminal) = Terminal::open(stop) else {
        return Err(Failure::usage("--step needs a terminal")
            .remedy("run it where you can watch the meter's display and type"));
    };
    let mut session = open(profile, port)?;
    let pin = secret::pin(arguments.pin_file.as_deref(), stop)?;
    let options = arguments.options(profile);
    let pace = RealPace::default();
    let attempt =
        Attempt { profile, tries, clock: &SystemClock, pace: &pace, options: &options, stop };
    let mut shown = show::Shown::lines();
    let stepped =
        attempt.run_with_owner(&mut session, &pin, &mut Owner(&terminal), &mut |progress| {
            shown.tell(&progress)
        });
    let stepped = stepped.map_err(Failure::from)?;
    tell_end(&stepped);
    show::result(ItemFormat::Table, profile, port, Ok(stepped.unlocked))
}

fn tell_end(stepped: &Stepped) {
    if !stepped.items.is_empty() {
        tell!("ebp: the display showed {}", stepped.items.join(", "));
    }
    match (stepped.end, stepped.inf_presses) {
        (SteppedEnd::Held, Some(presses)) => {
            tell!("ebp: InF was held; another time --inf-presses {presses} finds it on this meter");
        }
        (SteppedEnd::AlreadyOn, Some(presses)) => {
            tell!("ebp: InF is on already, {presses} presses after the PIN; nothing was switched");
        }
        (SteppedEnd::AlreadyOn, None) => tell!(
            "ebp: nothing was pressed; should its list be open from an earlier try, run this again when the \
             details are gone"
        ),
        (SteppedEnd::Held, None) => {}
        (SteppedEnd::GivenUp, _) => tell!("ebp: no long press was sent; nothing was switched"),
        (SteppedEnd::NotFound, _) => {
            tell!("ebp: InF did not come; no long press was sent, nothing was switched");
        }
        (SteppedEnd::ListClosed, _) => tell!(
            "ebp: the menu has closed, or may have; no long press was sent, nothing was switched: \
             run it again and answer within two minutes of each press"
        ),
    }
}
