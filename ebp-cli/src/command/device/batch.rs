//! `ebp device add --csv`: many devices at once, each with a sheet to go with it and a token file.

use std::path::{Path, PathBuf};

use ebp_client::{Manager, renewal};
use ebp_core::{
    contract::{EnrolmentRequest, EnrolmentToken, ManagedDevice, NewDevice},
    private_file,
    scope::Group,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    command::group_api::{self, GroupApi},
    exit::{CommandResult, Context, Failure},
    file::read_text,
    output::phrase::counted_as,
    stdout::print,
    tell::tell,
};

/// A row as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cells {
    #[serde(default)]
    household: Option<Uuid>,
    #[serde(default)]
    meters: Option<String>,
    #[serde(default)]
    device: Option<Uuid>,
}

/// A device that is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// One that is there.
    Known(Uuid),
    /// A further one of a household.
    New(NewDevice),
}

/// Prepares every device of the file, row by row, and prints their identifiers.
pub fn run(
    file: &Path,
    folder: &Path,
    hours: Option<u16>,
    (group, api): (Group, &GroupApi),
) -> CommandResult {
    let rows = rows(&read_text(file)?)
        .map_err(|(line, reason)| Failure::usage(format!("{}:{line}: {reason}", file.display())))?;
    private_file::create_folder(folder).or_failed(format!("cannot make {}", folder.display()))?;
    api.enrolment_command("")?;
    let manager = api.connect(group)?;
    let request = EnrolmentRequest { hours, ..EnrolmentRequest::default() };
    for (done, (line, wanted)) in rows.iter().enumerate() {
        let prepared = prepare(&manager, (group, api), folder, wanted, &request);
        let device = prepared.map_err(|failure| Failure {
            message: format!("{}:{line}: {}", file.display(), failure.message),
            remedy: Some(format!(
                "{}{}",
                counted_as(
                    done,
                    "device is prepared; take its row out before you try again",
                    "devices are prepared; take their rows out before you try again"
                ),
                failure.remedy.map(|remedy| format!(": {remedy}")).unwrap_or_default()
            )),
            ..failure
        })?;
        print(format!("{device}\n"))?;
    }
    let prepared = counted_as(rows.len(), "device is prepared", "devices are prepared");
    tell!("ebp: {prepared} in {}", folder.display());
    Ok(())
}

fn prepare(
    manager: &Manager,
    (group, api): (Group, &GroupApi),
    folder: &Path,
    wanted: &Wanted,
    request: &EnrolmentRequest,
) -> Result<Uuid, Failure> {
    let refused = |error| group_api::refused(group, error);
    let uuid = match wanted {
        Wanted::Known(uuid) => *uuid,
        Wanted::New(new) => manager.add_device(new).map_err(refused)?.uuid,
    };
    // Researchers see no devices: their sheet says what they asked for.
    let device = match group {
        Group::Administrators => Some(manager.device(uuid).map_err(refused)?),
        Group::Researchers => None,
    };
    let (household, meters) = match (device, wanted) {
        (Some(ManagedDevice { household, meters, .. }), _) => (Some(household), meters),
        (None, Wanted::New(new)) => (Some(new.household), new.meters.clone()),
        (None, Wanted::Known(_)) => (None, Vec::new()),
    };
    let file = |ending: &str| folder.join(format!("{uuid}.{ending}"));
    let (sheet_file, token_file): (PathBuf, PathBuf) = (file("txt"), file("token"));
    let EnrolmentToken { token, sign_in_code, expires_at, .. } =
        manager.enrolment(uuid, request).map_err(refused)?;
    renewal::write_private(&token_file, format!("{token}\n").as_bytes())
        .map_err(crate::exit::device::renewal)?;
    let enroll = api.enrolment_command(&format!("{uuid}.token"))?;
    let url = api.url.as_deref().unwrap_or_default();
    let mut sheet = sheet(uuid, household, &meters, &format!("{expires_at:.0}"), &enroll, url);
    if let Some(code) = sign_in_code {
        sheet += &format!("\nThe code to sign in to the device's page: {code}\n");
    }
    // It has the code: only its owner may read it.
    renewal::write_private(&sheet_file, sheet.as_bytes()).map_err(crate::exit::device::renewal)?;
    Ok(uuid)
}

/// What goes with a device. It holds no token.
fn sheet(
    uuid: Uuid,
    household: Option<Uuid>,
    meters: &[Uuid],
    expires_at: &str,
    enroll: &str,
    url: &str,
) -> String {
    let mut text = format!("Measurement device {uuid}\n");
    if let Some(household) = household {
        text += &format!("Household          {household}\n");
    }
    for meter in meters {
        text += &format!("Meter              {meter}\n");
    }
    text += &format!(
        "\nIts token ({uuid}.token) is valid until {expires_at}. On the device, as root:\n\n\
         {enroll}\n\
         ebp device init --folder /etc/ebp --url {url}\n\
         rm {uuid}.token\n"
    );
    text
}

/// The devices of the file with their lines, or the first line that names none.
fn rows(text: &str) -> Result<Vec<(u64, Wanted)>, (u64, String)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let header = reader.headers().map_err(|_| (1, "it is no CSV".to_owned()))?.clone();
    if let Some(unknown) =
        header.iter().find(|name| !["household", "meters", "device"].contains(name))
    {
        return Err((1, format!("`{unknown}` is no column: write household, meters, device")));
    }
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            (line, "it has not as many cells as the header".to_owned())
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells: Cells = record
            .deserialize(Some(&header))
            .map_err(|_| (line, "a cell is no identifier (UUID)".to_owned()))?;
        rows.push((line, wanted(cells).map_err(|reason| (line, reason.to_owned()))?));
    }
    if rows.is_empty() {
        return Err((1, "there are no devices in it".to_owned()));
    }
    Ok(rows)
}

fn wanted(cells: Cells) -> Result<Wanted, &'static str> {
    let meters = cells.meters.unwrap_or_default();
    let meters: Result<Vec<Uuid>, _> = meters.split_whitespace().map(str::parse).collect();
    let meters = meters.map_err(|_| "`meters` must be identifiers (UUIDs) with blanks between")?;
    match (cells.device, cells.household) {
        (Some(_), _) if !meters.is_empty() => {
            Err("a device that is there reads the meters that it reads: leave `meters` empty")
        }
        (Some(device), _) => Ok(Wanted::Known(device)),
        (None, Some(household)) => Ok(Wanted::New(NewDevice { household, meters })),
        (None, None) => Err("give a `household` or a `device`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a001";
    const B: &str = "6e9d3c5c-6a0e-4a7e-8b43-0f9ae6d6a002";

    #[test]
    fn rows_name_a_device_or_a_household() {
        let [a, b] = [A, B].map(|text| text.parse::<Uuid>().unwrap());
        let text = format!("household,meters,device\n{A},{B} {A},\n,,{B}\n{A},,\n");
        let new = |meters| Wanted::New(NewDevice { household: a, meters });
        assert_eq!(
            rows(&text),
            Ok(vec![(2, new(vec![b, a])), (3, Wanted::Known(b)), (4, new(Vec::new()))])
        );
        assert_eq!(rows(&format!("household\n{A}\n")).unwrap().len(), 1);
    }

    #[test]
    fn a_wrong_row_is_told_by_its_line() {
        for (text, line, word) in [
            ("haushalt\n", 1, "haushalt"),
            ("household\n", 1, "no devices"),
            ("household\nx\n", 2, "UUID"),
            (&*format!("household,meters\n{A},\n{A},y\n"), 3, "`meters`"),
            (&*format!("household,device\n{A}\n"), 2, "cells"),
            ("household,device\n,\n", 2, "give a"),
        ] {
            let (at, reason) = rows(text).unwrap_err();
            assert!(at == line && reason.contains(word), "{text}: {at}: {reason}");
        }
    }
}
