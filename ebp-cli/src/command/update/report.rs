//! What `ebp update` tells on standard error.

use ebp_update::{CommittedOn, Demand, Event, Reverted};

use crate::tell::tell;

/// Things, one after the other.
fn listed(demands: &[Demand]) -> String {
    demands.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a release's end without a commit means.
pub fn describe_reverted(reverted: &Reverted) -> String {
    let Reverted { version, reason, no_better, .. } = reverted;
    let after = match no_better.as_deref() {
        None => String::new(),
        Some([]) => "; everything works again with the version before".to_owned(),
        Some(missing) => {
            format!("; no better before: with the version before there are no {}", listed(missing))
        }
    };
    format!("version {version} is not run: {reason}{after}")
}

/// Tells it in a line.
pub fn tell_event(event: &Event) {
    match event {
        Event::StateLost(reason) => tell!(
            "ebp: the state of updates cannot be read ({reason}): it is put aside, and the package's \
             program runs"
        ),
        Event::FloorChanged(version) => {
            tell!("ebp: the package's program is version {version} now, which runs from now on");
        }
        Event::ReleaseLost(version) => {
            tell!("ebp: version {version} is not there any more: the package's program runs");
        }
        Event::Fetching(release, 0) => {
            tell!("ebp: fetching version {}, {} bytes", release.version, release.length);
        }
        Event::Fetching(release, from) => tell!(
            "ebp: fetching version {} from byte {from} of {} on",
            release.version,
            release.length
        ),
        Event::Fetched(version) => tell!("ebp: version {version} is there"),
        Event::SelfTestNoBetter(detail) => {
            tell!("ebp: its test of itself fails as that of the version before does: {detail}");
        }
        Event::Trying(version, demands) if demands.is_empty() => {
            tell!("ebp: trying version {version}; nothing worked before, so nothing is demanded");
        }
        Event::Trying(version, demands) => {
            tell!("ebp: trying version {version}; with it there have to be {}", listed(demands));
        }
        Event::ServicesFailed(reason) => tell!("ebp: services: {reason}"),
        Event::Proved(version, missing) if missing.is_empty() => {
            tell!("ebp: with version {version} everything works that did before");
        }
        Event::Proved(version, missing) => {
            tell!("ebp: with version {version} there are still missing: {}", listed(missing));
        }
        Event::WaitingForServer(version) => tell!(
            "ebp: version {version} reads the meters, and nobody reaches the server: waiting for it"
        ),
        Event::Committed(version, CommittedOn::Everything) => {
            tell!("ebp: version {version} is kept");
        }
        Event::Committed(version, CommittedOn::MetersAlone) => tell!(
            "ebp: version {version} is kept, since it reads the meters; the server was not reached"
        ),
        Event::Returning(version, reason) => {
            tell!("ebp: going back from version {version}: {reason}");
        }
        Event::Reverted(reverted) => tell!("ebp: {}", describe_reverted(reverted)),
        Event::Refused(version, reason) => tell!(
            "ebp: version {version} was reverted and is refused ({reason}); `ebp update retry \
             {version}` lets it be tried again"
        ),
        _ => {}
    }
}
