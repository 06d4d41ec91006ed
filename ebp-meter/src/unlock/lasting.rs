//! Making detail last, and finding out for how long it does: a fact of the meter at hand, which no
//! model's profile can promise.

use super::{
    Attempt, InfSwitch, Lasting, Link, Plan, Progress, UnlockError, Unlocked, Variant,
    attempt::{Executed, Looked, REST_MARGIN, Report, list_open, rest},
    is_detailed,
    open_list::Open,
};
use crate::profile;

impl Attempt<'_> {
    /// Switches `InF` on where its place is known, and looks whether that helped. Elsewhere the list
    /// is left as it is: a press now and then keeps it open.
    pub(super) fn make_it_last(
        &self,
        link: &mut dyn Link,
        timing: &profile::Pin,
        variant: Variant,
        open: Open,
        progress: Report<'_>,
    ) -> Result<Unlocked, UnlockError> {
        let Some(presses) = self.options.inf_presses(self.profile) else {
            let lasting = Lasting::WhileOpen(list_open(timing));
            return Ok(open.into_unlocked(variant, lasting, InfSwitch::Untouched));
        };
        progress(Progress::SwitchingInf);
        let plan = Plan::switch_inf_after(self.profile, presses, variant)?;
        if let Executed::Stopped { .. } = self.execute(link, &plan, progress)? {
            return Err(UnlockError::Interrupted { rest: rest(timing) });
        }
        let open = Open { last_press: self.last_press(&plan), seen_at: self.pace.now(), ..open };
        if !self.options.confirm {
            return Ok(open.into_unlocked(variant, Lasting::Unknown, InfSwitch::Unseen));
        }
        self.watch(link, timing, variant, open, progress)
    }

    /// Looks, after the long press, whether the detail outlasts the open list.
    pub(super) fn watch(
        &self,
        link: &mut dyn Link,
        timing: &profile::Pin,
        variant: Variant,
        mut open: Open,
        progress: Report<'_>,
    ) -> Result<Unlocked, UnlockError> {
        let listed = list_open(timing);
        let closed_at = self.pace.now() + listed;
        let until = closed_at + self.verify(timing).min(REST_MARGIN);
        progress(Progress::Confirming { left: until.saturating_sub(self.pace.now()) });
        let mut missing = 0;
        let (mut lasting, mut inf) = (Lasting::Unknown, InfSwitch::Unseen);
        loop {
            let left = until.saturating_sub(self.pace.now());
            match self.look(link, left, |_| true)? {
                Looked::Seen(readout) if is_detailed(self.profile, &readout) => {
                    open = Open { readout, seen_at: self.pace.now(), ..open };
                    missing = 0;
                    if open.seen_at > closed_at {
                        (lasting, inf) = (Lasting::Permanent, InfSwitch::On);
                    }
                }
                Looked::Seen(_) if missing > 0 => {
                    (lasting, inf) = (Lasting::WhileOpen(listed), InfSwitch::WithoutEffect);
                    break;
                }
                Looked::Seen(_) => missing += 1,
                // Without a telegram from then on nobody knows.
                Looked::Not | Looked::Stopped => break,
            }
        }
        Ok(open.into_unlocked(variant, lasting, inf))
    }
}
