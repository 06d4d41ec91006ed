//! `ebp serve sign-in-link`: a link by which a person signs in to the pages once.

use ebp_core::scope::Group;
use ebp_survey::LONGEST_LINK;
use jiff::SignedDuration;

use super::super::{local_survey::with_survey, server_data::ServerData};
use crate::{
    exit::{CommandResult, Failure, server},
    stdout::print,
    tell::tell,
};

/// Make a link by which a person signs in to the pages once.
///
/// For who holds a person's certificate and does not know the group's secret: certificates are not put
/// into browsers. The link is printed on standard output and stored as its hash only.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The administrator's name, as in `ebp ca issue --administrator NAME`.
    #[arg(long, value_name = "NAME", conflicts_with = "researcher")]
    administrator: Option<String>,

    /// A researcher's name or initials.
    #[arg(long, value_name = "NAME", required_unless_present = "administrator")]
    researcher: Option<String>,

    /// For how many minutes it is valid, at most a day.
    #[arg(long, value_name = "MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=1440))]
    minutes: u16,
}

/// Makes and prints it.
pub fn run(arguments: &Arguments, data: &ServerData) -> CommandResult {
    let (group, name) = match (&arguments.administrator, &arguments.researcher) {
        (Some(name), _) => (Group::Administrators, name),
        (None, Some(name)) => (Group::Researchers, name),
        (None, None) => {
            return Err(Failure::usage("say for whom: --administrator or --researcher"));
        }
    };
    if name.trim().is_empty() {
        return Err(Failure::usage("the name is empty"));
    }
    let config = data.load()?;
    let Some(web) = &config.web else {
        return Err(Failure::failed("this server has no pages")
            .remedy("add [web] to the configuration: `ebp serve --print-config` shows it"));
    };
    let settings = data.settings()?;
    let valid_for = SignedDuration::from_mins(i64::from(arguments.minutes)).min(LONGEST_LINK);
    let (token, expires_at) = with_survey(
        &settings,
        |survey| survey,
        async |survey| {
            let made = survey.create_sign_in_link(group, name, valid_for).await;
            made.map_err(server::survey)
        },
    )?;
    let own = settings.web.unwrap_or_default();
    let host = own.hostnames.first().map_or("localhost", String::as_str);
    let port = web.listen.port();
    let place = match (own.scheme(), port, own.trusted_proxies.is_empty()) {
        ("https", 443, _) | ("https", _, false) | ("http", 80, _) => host.to_owned(),
        _ => format!("{host}:{port}"),
    };
    print(format!("{}://{place}/link/{}\n", own.scheme(), token.as_str()))?;
    tell!("ebp: the link is for {name} ({group}), works once, and is valid until {expires_at:.0}");
    Ok(())
}
