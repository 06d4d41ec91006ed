//! Importing many households: a table is uploaded, its columns are named, each row is checked, and then
//! all are registered or none. Until then nothing is stored: the table travels with the form.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::{
    extract::{FromRequest, Multipart, Path, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::contract::{ImportReport, ImportedLine, JobState, LineOutcome};
use ebp_survey::{
    StoreError, SurveyError,
    import::{IMPORT_LIMIT, lines},
};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::{
    decoding::text_of,
    import_column::{self, missing},
    no_table::{FAULT, NoTable},
    reason::reasons,
    spreadsheet::Spreadsheet,
};
use crate::{
    cloud::{Researcher, ResearcherForm, Visitor, job_fault},
    kit::{
        form::{Fields, says_too_long},
        frame::{Frame, SwitchForm},
        language::Language,
    },
};

/// The longest file, octets.
pub const LONGEST_FILE: usize = 5 << 20;

/// Where a table is sent to be checked.
const CHECK: &str = "/registration/import/check";

/// What `do` says to show the columns again, and to check nothing.
const SHOW: &str = "show";

/// Rows of a report that are shown, at most.
const SHOWN: usize = 1_000;

#[derive(Template)]
#[template(path = "registration/import.html")]
struct Page {
    frame: Frame,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "registration/columns.html")]
struct ColumnsPage {
    frame: Frame,
    file: String,
    columns: Vec<Column>,
    known: Vec<&'static str>,
    rows: usize,
    fault: Option<String>,
}

/// A column of the table.
struct Column {
    name: String,
    example: String,
    chosen: &'static str,
}

#[derive(Template)]
#[template(path = "registration/report.html")]
struct ReportPage {
    frame: Frame,
    /// The table and its columns as they were sent: a switch of the language has them checked again.
    sent: Vec<(String, String)>,
    file: String,
    counts: Vec<(String, usize)>,
    can_be_imported: bool,
    lines: Vec<Line>,
}

/// A row of the table, and what would become of it.
struct Line {
    number: u64,
    outcome: String,
    is_refused: bool,
    reason: String,
    household: Option<String>,
}

#[derive(Template)]
#[template(path = "registration/imported.html")]
struct ImportedPage {
    frame: Frame,
    address: String,
    state: String,
    is_final: bool,
    fault: Option<String>,
    lines: Vec<Line>,
}

fn first(visitor: &Visitor, status: StatusCode, fault: Option<String>) -> Response {
    let frame = visitor.frame(visitor.language().say("reg-import-title"));
    visitor.show_with(status, &Page { frame, fault })
}

fn refuse(visitor: &Visitor, fault: NoTable) -> Response {
    let mut visitor = visitor.clone();
    visitor.preferences.query = vec![(FAULT.to_owned(), fault.name().to_owned())];
    let fault = Some(fault.text(visitor.language()));
    first(&visitor, StatusCode::UNPROCESSABLE_ENTITY, fault)
}

/// `GET /registration/import?fault`.
pub async fn show(Researcher { visitor, .. }: Researcher) -> Response {
    let fault = NoTable::named(&visitor.preferences);
    first(&visitor, StatusCode::OK, fault.map(|fault| fault.text(visitor.language())))
}

/// `GET /registration/template.csv`.
pub async fn template(Researcher { .. }: Researcher) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"households.csv\""),
    ];
    (headers, import_column::template()).into_response()
}

/// `POST /registration/import`: a file; asks which of its columns is which.
pub async fn upload(Researcher { visitor, .. }: Researcher, request: Request) -> Response {
    if says_too_long(&request) {
        return visitor.too_long();
    }
    let Ok(mut form) = Multipart::from_request(request, &()).await else {
        return visitor.refuse_form();
    };
    let (mut is_own, mut bytes) = (false, None);
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return visitor.too_long();
            }
            Err(_) => return visitor.refuse_form(),
        };
        match field.name() {
            // It comes first, so that nobody else's file is read.
            Some("token") => match field.text().await {
                Ok(token) => is_own = visitor.is_own_form(&token),
                Err(_) => return visitor.refuse_form(),
            },
            Some("file") if is_own => match field.bytes().await {
                Ok(read) if read.len() <= LONGEST_FILE => bytes = Some(read),
                _ => return visitor.too_long(),
            },
            _ => return visitor.refuse_form(),
        }
    }
    if !is_own {
        return visitor.refuse_form();
    }
    let text = text_of(&bytes.unwrap_or_default());
    let Some(table) = Spreadsheet::read(&text) else {
        return refuse(&visitor, NoTable::Unreadable);
    };
    if table.rows.is_empty() {
        return refuse(&visitor, NoTable::Empty);
    }
    if table.rows.len() > IMPORT_LIMIT {
        return refuse(&visitor, NoTable::TooLong);
    }
    let chosen = table.guess();
    ask_for_columns(&visitor, text, &table, &chosen, None)
}

/// Asks which column is which; `fault` says what was wrong with what was chosen.
fn ask_for_columns(
    visitor: &Visitor,
    file: String,
    table: &Spreadsheet,
    chosen: &[Option<&'static str>],
    fault: Option<String>,
) -> Response {
    let example = |place: usize| {
        let cells = table.rows.iter().filter_map(|row| row.cells.get(place));
        cells.map(String::as_str).find(|cell| !cell.is_empty()).unwrap_or_default().to_owned()
    };
    let columns = table.header.iter().zip(chosen).enumerate();
    let columns = columns.map(|(place, (name, chosen))| Column {
        name: name.clone(),
        example: example(place),
        chosen: chosen.unwrap_or_default(),
    });
    let status = match fault {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let switch = SwitchForm {
        id: "columns",
        action: CHECK.to_owned(),
        asks: if fault.is_some() { "check" } else { SHOW },
        enter: ("", ""),
    };
    let page = ColumnsPage {
        frame: visitor.frame(visitor.language().say("reg-columns-title")).switched_by(switch),
        columns: columns.collect(),
        known: import_column::columns().collect(),
        rows: table.rows.len(),
        file,
        fault,
    };
    visitor.show_with(status, &page)
}

/// The column that was chosen twice, or those that are needed and were not chosen.
fn fault_of_columns(language: Language, chosen: &[Option<&'static str>]) -> Option<String> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = chosen.iter().flatten().find(|name| !seen.insert(**name)) {
        return Some(language.say_with("reg-import-twice", [("column", (*twice).into())]));
    }
    let missing = missing(&seen);
    let names = [("columns", missing.join(", ").into())];
    match (seen.is_empty(), missing.is_empty()) {
        (true, _) => Some(language.say_with("reg-columns-nothing", names)),
        (false, false) => Some(language.say_with("reg-columns-missing", names)),
        (false, true) => None,
    }
}

/// `POST /registration/import/check`: what would become of each row.
pub async fn check(ResearcherForm { visitor, caller, fields }: ResearcherForm) -> Response {
    let language = visitor.language();
    let Some(table) = Spreadsheet::read(fields.get("file")) else {
        return refuse(&visitor, NoTable::Unreadable);
    };
    let known = |place| {
        let name = fields.get(&format!("column-{place}"));
        import_column::columns().find(|known| *known == name)
    };
    let chosen: Vec<_> = (0..table.header.len()).map(known).collect();
    if fields.get("do") == SHOW {
        let file = fields.get("file").to_owned();
        return ask_for_columns(&visitor, file, &table, &chosen, None);
    }
    if let Some(fault) = fault_of_columns(language, &chosen) {
        let file = fields.get("file").to_owned();
        return ask_for_columns(&visitor, file, &table, &chosen, Some(fault));
    }
    let chosen: BTreeMap<_, _> =
        chosen.into_iter().enumerate().filter_map(|(place, name)| Some((place, name?))).collect();
    let file = table.file(&chosen);
    let mut read = match lines(&file) {
        Ok(read) if read.is_empty() => {
            return refuse(&visitor, NoTable::Empty);
        }
        Ok(read) => read,
        Err(_) => return refuse(&visitor, NoTable::Unreadable),
    };
    // The lengths that people see are those of their table.
    let mut ragged = table.ragged();
    for (line, row) in &mut read {
        if let Some(fault) = ragged.remove(line) {
            *row = Err(vec![fault]);
        }
    }
    match caller.check_import(read).await {
        Ok(checked) => report(&visitor, file, &fields, &checked),
        Err(error) => visitor.fail(error),
    }
}

fn report(visitor: &Visitor, file: String, sent: &Fields, checked: &[ImportedLine]) -> Response {
    let language = visitor.language();
    let count = |outcome| checked.iter().filter(|line| line.outcome == outcome).count();
    let (new, known) = (count(LineOutcome::New), count(LineOutcome::Known));
    let refused = count(LineOutcome::Refused);
    let status = if refused > 0 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let switch =
        SwitchForm { id: "report", action: CHECK.to_owned(), asks: "check", enter: ("", "") };
    let page = ReportPage {
        frame: visitor.frame(language.say("reg-report-title")).switched_by(switch),
        sent: sent
            .iter()
            .filter(|(name, _)| *name == "file" || name.starts_with("column-"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        file,
        counts: vec![
            (language.say("reg-line-new"), new),
            (language.say("reg-line-known"), known),
            (language.say("reg-line-refused"), refused),
        ],
        can_be_imported: refused == 0 && new > 0,
        lines: shown_lines(language, checked),
    };
    visitor.show_with(status, &page)
}

/// The rows, those that are refused first.
fn shown_lines(language: Language, checked: &[ImportedLine]) -> Vec<Line> {
    let mut lines: Vec<&ImportedLine> = checked.iter().collect();
    lines.sort_by_key(|line| (line.outcome != LineOutcome::Refused, line.line));
    let shown = |line: &ImportedLine| Line {
        number: line.line,
        outcome: match line.outcome {
            LineOutcome::Registered => language.say("reg-line-registered"),
            LineOutcome::Known => language.say("reg-line-known"),
            LineOutcome::New => language.say("reg-line-new"),
            LineOutcome::Refused => language.say("reg-line-refused"),
        },
        is_refused: line.outcome == LineOutcome::Refused,
        reason: match (reasons(language, line), line.same_as_line) {
            (Some(reasons), _) => reasons,
            (None, Some(other)) => {
                language.say_with("reg-line-same", [("line", other.to_string().into())])
            }
            (None, None) => String::new(),
        },
        household: line
            .household
            .or(line.registered.as_ref().map(|registered| registered.household))
            .map(|household| format!("/registration/household/{household}")),
    };
    lines.into_iter().take(SHOWN).map(shown).collect()
}

/// `POST /registration/import/run`: registers all rows or none.
pub async fn run(ResearcherForm { visitor, caller, fields }: ResearcherForm) -> Response {
    let file = fields.get("file").to_owned();
    if file.is_empty() {
        return refuse(&visitor, NoTable::Unreadable);
    }
    // A form that is sent twice asks for one import.
    let hash = digest(&SHA256, format!("{}{file}", fields.get("token")).as_bytes());
    let key: String = hash.as_ref().iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    match caller.import(file, key).await {
        Ok(job) => Redirect::to(&format!("/registration/import/{}", job.uuid)).into_response(),
        Err(error) => visitor.fail(error),
    }
}

/// `GET /registration/import/{job}`: how far it is.
pub async fn progress(
    Researcher { visitor, caller }: Researcher,
    Path(job): Path<String>,
) -> Response {
    let Ok(uuid) = job.parse::<Uuid>() else { return visitor.not_found() };
    let job = match caller.job(uuid).await {
        Ok(job) => job,
        Err(error) => return visitor.fail(error),
    };
    let found: Option<ImportReport> = match caller.import_report(uuid).await {
        Ok(found) if job.state.is_final() => Some(found),
        Ok(_) | Err(SurveyError::Store(StoreError::NotFound)) => None,
        Err(error) => return visitor.fail(error),
    };
    let language = visitor.language();
    let state = match job.state {
        JobState::Waiting => language.say("reg-job-waiting"),
        JobState::Running => language.say_with(
            "reg-job-running",
            [
                ("done", job.progress.to_string().into()),
                ("total", job.total.unwrap_or_default().to_string().into()),
            ],
        ),
        JobState::Succeeded => language.say("reg-job-succeeded"),
        JobState::Failed => language.say("reg-job-failed"),
        JobState::Cancelled => language.say("reg-job-cancelled"),
    };
    let page = ImportedPage {
        frame: visitor.frame(language.say("reg-import-title")),
        address: format!("/registration/import/{uuid}"),
        state,
        is_final: job.state.is_final(),
        fault: (job.state != JobState::Succeeded).then(|| job_fault(language, &job)).flatten(),
        lines: found.map(|found| shown_lines(language, &found.lines)).unwrap_or_default(),
    };
    visitor.show(&page)
}
