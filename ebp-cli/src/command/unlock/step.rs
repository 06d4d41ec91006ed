//! `ebp unlock --step`: through the list behind the PIN, with the owner in front of the display.
//!
//! Enters: a terminal with somebody at it. Leaves: what stood on the display, and InF switched on where
//! the owner said yes. Absent: presses, and when one is still safe, which [`ebp_meter::unlock`] knows.

use ebp_meter::{
    interface::{Driver, Environment},
    port::PortName,
    profile::Profile,
    unlock::{AskItem, Item, Stepped, SteppedEnd},
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
            0 => "behind the PIN".to_owned(),
            1 => "1 press behind the PIN".to_owned(),
            n => format!("{n} presses behind the PIN"),
        };
        loop {
            let typed = self.ask(&format!(
                "{place}: what does the display show? [as it stands there, such as 1d or InF OFF; q to give up] "
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
    (profile, driver): (&Profile, &dyn Driver),
    port: &PortName,
    environment: &Environment,
) -> CommandResult {
    let Some(terminal) = Terminal::open(&environment.stop) else {
        return Err(Failure::usage("--step needs a terminal with somebody at it")
            .remedy("run it where you can watch the meter's display and type"));
    };
    let mut meter = open(driver, &arguments.light.site(port, driver), environment)?;
    let pin = secret::pin(arguments.pin_file.as_deref(), &environment.stop)?;
    let mut shown = show::Shown::lines();
    let (owner, progress) = (&mut Owner(&terminal), &mut |progress| shown.tell(&progress));
    let stepped = meter.enable_with_owner(&pin, &arguments.options(), owner, progress);
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
            tell!("ebp: InF is on already, {presses} presses behind the PIN; nothing was switched");
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
            "ebp: the list has closed, or may have; no long press was sent, nothing was switched: \
             run it again and answer within two minutes of each press"
        ),
    }
}
