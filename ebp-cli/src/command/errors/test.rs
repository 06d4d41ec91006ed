//! `ebp errors test`.

use std::thread;

use ebp_core::clock::{Clock, SystemClock};
use ebp_errors::{Admission, Component, Level, Place, Report, Step, Transmission, current_stack};

use super::whose::Whose;
use crate::{
    error_report::Reported,
    exit::{Code, CommandResult, Failure},
    output::phrase::{counted, instant_to_come},
    owner,
    tell::tell,
};

/// Send a report, with this program's version and stack, to see that it arrives.
///
/// The service's answer says that it was taken in. Only its own page proves that it is kept: projects
/// have filters and quotas.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    whose: Whose,
}

/// Queues a report and sends until it is sent.
pub fn run(arguments: &Arguments) -> CommandResult {
    let reported = arguments.whose.find()?;
    let sent = send(&reported);
    // The services go on writing there, whoever tries the service.
    owner::give_to_owner_above(&reported.folder);
    sent
}

fn send(reported: &Reported) -> CommandResult {
    let service = reported.service()?.ok_or_else(|| {
        Failure::usage("no error tracking service is configured").remedy(
            "set `dsn` under [errors] in the configuration, or EBP_ERRORS_DSN in the environment",
        )
    })?;
    let (folder, clock) = (reported.folder(), SystemClock);
    let report = Report {
        level: Level::Error,
        text: Some("a report to try the service with"),
        component: Some(Component::Command),
        stack: current_stack(),
        ..Report::new(vec!["Test".to_owned()], Place::new(file!(), line!()))
    };
    let admission = folder
        .admit(&report, &reported.release(), true, clock.now())
        .map_err(|error| Failure::caused_by(Code::Failed, &error))?;
    if let Admission::Counted { until } = admission {
        let wait = until.duration_since(clock.now()).unsigned_abs();
        return Err(Failure::failed("ten reports were sent within the hour").remedy(format!(
            "further ones are counted; next {}",
            instant_to_come(clock.now(), wait)
        )));
    }
    let mut transmission = Transmission::new(folder.clone(), service);
    loop {
        let step = transmission.step(clock.now());
        match &step {
            Step::Sent => {}
            Step::Idle => break,
            Step::Refused { status } => {
                return Err(Failure::failed(format!("the service refuses the report ({status})"))
                    .remedy("its log may say why; the report is not sent again"));
            }
            Step::Waiting { wait } => {
                let next = instant_to_come(clock.now(), *wait);
                let waiting = counted(folder.waiting(), "report");
                tell!(
                    "ebp: {waiting} to send; the service asked to wait, or another process sends: next {next}"
                );
                return Ok(());
            }
            Step::Failed { reason, .. } => {
                return Err(Failure::failed(format!("the service is not reached: {reason}"))
                    .remedy("check the DSN and the network; the report is kept and sent later"));
            }
        }
        thread::sleep(step.wait());
    }
    tell!("ebp: the service took the report in; its own page shows whether it is kept");
    Ok(())
}
