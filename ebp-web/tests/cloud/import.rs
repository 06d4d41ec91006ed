//! Importing: a table becomes households, all or none.

use axum::{body::Body, http::Request};
use ebp_core::scope::Group;
use ebp_store::{JobPolicy, Label};
use ebp_survey::import::ImportOrder;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::world::{Answer, Browser, HOST, RESEARCHERS, World};

const UPLOAD: &str = "/registration/import";

pub async fn upload(browser: &mut Browser, file: &[u8]) -> Answer {
    let token = browser.get(UPLOAD).await.input("token");
    send(browser, &token, file).await
}

async fn send(browser: &mut Browser, token: &str, file: &[u8]) -> Answer {
    let mut body = Vec::new();
    body.extend_from_slice(
        format!(
            "--x\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n--x\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
             content-type: text/csv\r\n\r\n"
        )
        .as_bytes(),
    );
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let cookies: Vec<_> = browser.cookies.iter().map(|(a, b)| format!("{a}={b}")).collect();
    let request = Request::builder()
        .method("POST")
        .uri(UPLOAD)
        .header("host", HOST)
        .header("origin", format!("https://{HOST}"))
        .header("cookie", cookies.join("; "))
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(body))
        .unwrap();
    browser.ask(request).await
}

/// A table as a German spreadsheet writes it, in Windows-1252.
pub fn table(rows: usize) -> Vec<u8> {
    let mut text = "Name;E-Mail;Straße;PLZ;Ort;Land;Kinder;Erwachsene;Berufstätige;Wallbox;\
                    Wärmepumpe;Heimspeicher;Zählerart;Zähler;Notiz\n"
        .to_owned();
    for row in 1..=rows {
        text.push_str(&format!(
            "Jörg Müller {row};joerg{row}@example.org;Gasse {row};51147;Köln;DE;1;2;1;nein;ja;;\
             ELECTRICITY;MT175;egal\n"
        ));
    }
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
}

/// The fields of the page that asks for columns.
pub fn columns(page: &Answer) -> Vec<(String, String)> {
    let mut pairs =
        vec![("token".to_owned(), page.input("token")), ("file".to_owned(), page.input("file"))];
    for (place, select) in page.body.split("<select name=\"column-").skip(1).enumerate() {
        let select = select.split("</select>").next().unwrap();
        let chosen = select.split(" selected").next().filter(|rest| rest.len() < select.len());
        let chosen =
            chosen.map(|rest| rest.rsplit("value=\"").next().unwrap().trim_end_matches('"'));
        pairs.push((format!("column-{place}"), chosen.unwrap_or_default().to_owned()));
    }
    pairs
}

async fn post(browser: &mut Browser, path: &str, pairs: &[(String, String)]) -> Answer {
    let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    browser.send(path, &pairs).await
}

#[tokio::test]
async fn a_table_is_mapped_checked_and_imported() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = upload(&mut browser, &table(10)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Die Tabelle hat 10 Zeilen") && page.body.contains("Jörg Müller 1"));
    let pairs = columns(&page);
    let chosen: Vec<_> = pairs[2..].iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(chosen[..3], ["participant.name", "participant.email", "address.street"]);
    assert_eq!(chosen[14], "", "the note is left out");
    let report = post(&mut browser, "/registration/import/check", &pairs).await;
    assert_eq!(report.status, 200, "{}", report.body);
    assert!(report.body.contains("<dt>neu</dt><dd>10</dd>"), "{}", report.body);
    assert!(browser.get("/registration").await.body.contains("Noch kein Haushalt"), "not yet");
    let run =
        [("token".to_owned(), report.input("token")), ("file".to_owned(), report.input("file"))];
    let begun = post(&mut browser, "/registration/import/run", &run).await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    let again = post(&mut browser, "/registration/import/run", &run).await;
    assert_eq!(again.location(), begun.location(), "sent twice, it is one import");
    let progress = browser.get(begun.location()).await;
    assert!(progress.body.contains("Der Import wartet") && progress.body.contains("data-every"));
    // The order has the initials that were given when signing in.
    let (worker, kinds) = (Uuid::from_u128(1), vec!["household-import"]);
    let claimed = world.store().claim_job(worker, kinds, JobPolicy::default()).await.unwrap();
    let order: ImportOrder = serde_json::from_slice(&claimed.unwrap().input).unwrap();
    assert_eq!(order.label.as_ref().map(Label::as_str), Some("EM"));
    // Administrators have no part in it.
    let mut other = world.signed_in(Group::Administrators).await;
    assert_eq!(other.get(begun.location()).await.status, 403);
}

#[tokio::test]
async fn one_wrong_row_keeps_all_out() {
    let world = World::on_sqlite().await;
    world.register(1).await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let text =
        String::from_utf8(table(3).iter().map(|b| char::from(*b)).collect::<String>().into_bytes())
            .unwrap();
    let text = text.replace("joerg2@example.org", "=cmd()").replace(
        "51147;Köln;DE;1;2;1;nein;ja;;ELECTRICITY;MT175;egal\nJörg Müller 3",
        "x;Köln;DE;1;2;1;nein;ja;;ELECTRICITY;MT175;egal\nJörg Müller 3",
    );
    let page = upload(&mut browser, text.as_bytes()).await;
    let report = post(&mut browser, "/registration/import/check", &columns(&page)).await;
    assert_eq!(report.status, 422);
    assert!(report.body.contains("<dt>falsch</dt><dd>1</dd>"), "{}", report.body);
    assert!(
        report.body.contains("<th scope=\"row\">3</th>")
            && report.body.contains("E-Mail-Adresse: Bitte eine E-Mail-Adresse")
    );
    assert!(!report.body.contains("/registration/import/run"), "there is no way on");
}

#[tokio::test]
async fn files_that_are_no_table_are_refused() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    for (file, text) in [
        (&b""[..], "Das ist keine Tabelle"),
        (b"one column\na\n", "Das ist keine Tabelle"),
        (b"a,b\n", "Die Tabelle hat keine Zeilen"),
        (&table(1001), "mehr als 1000 Zeilen"),
    ] {
        let page = upload(&mut browser, file).await;
        assert_eq!(page.status, 422);
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }
    let long = vec![b'x'; (5 << 20) + 1];
    assert_eq!(upload(&mut browser, &long).await.status, 413);
    assert_eq!(send(&mut browser, "planted", &table(1)).await.status, 403);
    let template = browser.get("/registration/template.csv").await;
    assert_eq!(upload(&mut browser, template.body.as_bytes()).await.status, 200);
}

async fn checked(browser: &mut Browser, file: &[u8]) -> Answer {
    let page = upload(browser, file).await;
    assert_eq!(page.status, 200, "{}", page.body);
    post(browser, "/registration/import/check", &columns(&page)).await
}

/// The numbers of the rows in a report, in their order there.
fn numbers(report: &Answer) -> Vec<&str> {
    let rows = report.body.split("<th scope=\"row\">").skip(1);
    rows.map(|row| row.split('<').next().unwrap()).collect()
}

#[tokio::test]
async fn a_row_of_another_length_is_wrong() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let text: String = table(3).iter().map(|octet| char::from(*octet)).collect();
    let mut rows: Vec<_> = text.lines().map(str::to_owned).collect();
    rows[2].push_str(";MT681 zwei");
    rows[3] = rows[3].replace(";egal", "");
    let report = checked(&mut browser, rows.join("\n").as_bytes()).await;
    assert_eq!((report.status, numbers(&report)), (422, vec!["3", "4", "2"]));
    assert!(report.body.contains("Die Zeile hat 16 Zellen, die Kopfzeile hat 15."));
    assert!(report.body.contains("Die Zeile hat 14 Zellen, die Kopfzeile hat 15."));
    assert!(!report.body.contains("/registration/import/run"), "there is no way on");
    // Nor is there one without the page.
    let header = "participant.name,participant.email";
    assert!(ebp_survey::import::lines(&format!("{header}\na,b,?\n")).unwrap()[0].1.is_err());
}

#[tokio::test]
async fn a_report_names_the_lines_of_the_file() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let text: String = table(2).iter().map(|octet| char::from(*octet)).collect();
    let gaps = text.replacen("egal\n", "egal\n\n;;;;;;;;;;;;;;\n", 1);
    let gaps = format!("sep=;\n{}", gaps.replace("joerg2@", "joerg2 "));
    let report = checked(&mut browser, gaps.as_bytes()).await;
    assert_eq!((report.status, numbers(&report)), (422, vec!["6", "3"]), "{}", report.body);
}

#[tokio::test]
async fn empty_rows_are_passed_over() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let mut file = table(1);
    file.extend_from_slice(b";;;;;;;;;;;;;;\r\n;;;;;;;;;;;;;;\r\n");
    let report = checked(&mut browser, &file).await;
    assert_eq!((report.status, numbers(&report)), (200, vec!["2"]), "{}", report.body);
}

#[tokio::test]
async fn tables_as_spreadsheets_write_them_are_read() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let text: String = table(1).iter().map(|octet| char::from(*octet)).collect();
    let wide = format!("\u{feff}{}", text.replace(';', "\t"));
    let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let commas = text.replace(';', ",").replace(",Notiz", ",Breite,Länge,Notiz");
    let commas = commas.replace(",egal", ",\"50,85\",\"7,1\",egal");
    for file in [wide, format!("sep=;\r\n{text}").into_bytes(), commas.into_bytes()] {
        let report = checked(&mut browser, &file).await;
        assert_eq!(report.status, 200, "{}", report.body);
        assert!(report.body.contains("<dt>neu</dt><dd>1</dd>"), "{}", report.body);
    }
}

#[tokio::test]
async fn columns_that_are_missing_are_named_before_rows() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let page = upload(&mut browser, b"Name;E-Mail\nErika;erika\n").await;
    let mut pairs = columns(&page);
    let asked = post(&mut browser, "/registration/import/check", &pairs).await;
    assert_eq!(asked.status, 422);
    let told = "Es fehlen Spalten, die jeder Haushalt braucht: address.street, address.postal_code";
    assert!(asked.body.contains(told) && asked.body.contains("meters.0.model"), "{}", asked.body);
    assert_eq!(columns(&asked)[1..], pairs[1..], "the table and the choice are kept");
    pairs[3].1 = String::new();
    pairs[2].1 = String::new();
    let asked = post(&mut browser, "/registration/import/check", &pairs).await;
    assert!(asked.status == 422 && asked.body.contains("Es ist keine Spalte gewählt."));
    pairs[3].1 = "participant.name".into();
    pairs[2].1 = "participant.name".into();
    let asked = post(&mut browser, "/registration/import/check?lang=en", &pairs).await;
    assert!(asked.body.contains("The column participant.name was chosen twice."));
}

/// The template's table with that many rows, each with all columns.
fn whole_table(template: &str, rows: usize) -> String {
    let (header, row) = template.trim_end().split_once("\r\n").unwrap();
    let rows = (1..=rows).map(|number| {
        row.replace("erika@", &format!("erika{number}@")).replace("straße", "straße über dem Fluss")
    });
    format!("{header}\r\n{}\r\n", rows.collect::<Vec<_>>().join("\r\n"))
}

#[tokio::test]
async fn a_whole_table_survives_the_end_of_the_session() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let template = browser.get("/registration/template.csv").await.body;
    let page = upload(&mut browser, whole_table(&template, 1000).as_bytes()).await;
    let pairs = columns(&page);
    world.clock.advance(SignedDuration::from_mins(31));
    let asked = post(&mut browser, "/registration/import/check", &pairs).await;
    assert!(asked.status == 401 && asked.body.contains("bleibt erhalten"), "{}", asked.status);
    let (action, draft) = (asked.input("action"), asked.input("draft"));
    assert!(draft.len() > 256 * 1024, "{}", draft.len());
    let kept = [("action", action.as_str()), ("draft", draft.as_str()), ("group", "researchers")];
    let wrong = [&kept[..], &[("secret", "wrong")]].concat();
    assert_eq!(browser.send("/sign-in", &wrong).await.input("draft"), draft);
    let right = [&kept[..], &[("secret", RESEARCHERS)]].concat();
    let again = browser.send("/sign-in", &right).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(again.input("file"), pairs[1].1);
    let mut pairs = pairs;
    pairs[0].1 = again.input("token");
    let report = post(&mut browser, "/registration/import/check", &pairs).await;
    assert!(report.body.contains("<dt>neu</dt><dd>1000</dd>"), "{}", report.status);
}

#[tokio::test]
async fn what_is_too_long_to_be_kept_does_not_keep_anybody_out() {
    let world = World::on_sqlite().await;
    let mut browser = world.signed_in(Group::Researchers).await;
    let template = browser.get("/registration/template.csv").await.body;
    let mut pairs = columns(&upload(&mut browser, template.as_bytes()).await);
    world.clock.advance(SignedDuration::from_mins(31));
    for length in [600 << 10, 1 << 20, 5 << 20] {
        pairs[1].1 = "ä".repeat(length / 2);
        let asked = post(&mut browser, "/registration/import/check", &pairs).await;
        assert_eq!(asked.status, 401);
        assert!(asked.body.contains("ist zu lang") && !asked.body.contains("name=\"draft\""));
        assert_eq!(asked.input("next"), "/registration/import");
    }
    let pairs =
        [("group", "researchers"), ("secret", RESEARCHERS), ("next", "/registration/import")];
    let answer = browser.send("/sign-in", &pairs).await;
    assert_eq!(answer.location(), "/signed-in?next=%2Fregistration%2Fimport");
}
