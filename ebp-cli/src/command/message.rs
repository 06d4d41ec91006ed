//! `ebp message`: what households write is wrong, and the researchers' answers, over the Data API.
//!
//! Enters: answers. Leaves: messages. Absent: what is changed because of them, which is `ebp
//! household edit`.

use std::{
    io::{Read, Write},
    path::PathBuf,
};

use clap::Subcommand;
use ebp_client::{ClientError, Manager};
use ebp_core::{
    contract::{Message, MessageAnswer, problem_type},
    scope::Group,
};
use uuid::Uuid;

use super::{
    group_api::{self, GroupApi},
    heading::OUTPUT,
};
use crate::{
    exit::{CommandResult, Failure, chain},
    output::{TableFormat, new_table},
    stdout::{print, print_json},
};

/// Octets of an answer that is read, at most: 2,000 characters have fewer.
const ANSWER: u64 = 16 << 10;

/// Read and answer what households write, as a researcher.
///
/// A household's messages are deleted when its consent is revoked.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    api: GroupApi,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List messages, oldest first: those that are neither answered nor closed.
    List {
        /// List those that are answered or closed, too.
        #[arg(long)]
        all: bool,

        /// How they are printed; JSON is one object a line.
        #[arg(long, value_enum, default_value_t = TableFormat::Table, help_heading = OUTPUT)]
        format: TableFormat,
    },
    /// Answer a message, once; that closes it. Shows it as JSON.
    Answer {
        /// The message.
        message: Uuid,

        /// The answer, up to 2,000 characters. Without it and --text-file it is read from standard
        /// input.
        #[arg(long)]
        text: Option<String>,

        /// The file that holds the answer.
        #[arg(long, value_name = "FILE", conflicts_with = "text")]
        text_file: Option<PathBuf>,
    },
    /// Close a message without an answer, and show it as JSON.
    Close {
        /// The message.
        message: Uuid,
    },
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::List { all, format } => {
            list(&arguments.api.connect(Group::Researchers)?, !all, *format)
        }
        Action::Answer { message, text, text_file } => {
            // A secret may come from standard input as well: it is the first line then.
            let manager = arguments.api.connect(Group::Researchers)?;
            let text = match (text, text_file) {
                (Some(text), _) => text.clone(),
                (None, Some(path)) => crate::file::read_text(path)?,
                (None, None) => {
                    let mut text = String::new();
                    std::io::stdin().take(ANSWER).read_to_string(&mut text)?;
                    text
                }
            };
            let answer = MessageAnswer { text: text.trim().to_owned().into() };
            print_json(&manager.answer_message(*message, &answer).map_err(refused)?)
        }
        Action::Close { message } => {
            let manager = arguments.api.connect(Group::Researchers)?;
            print_json(&manager.close_message(*message).map_err(refused)?)
        }
    }
}

fn list(manager: &Manager, open: bool, format: TableFormat) -> CommandResult {
    let mut messages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = manager.all_messages(open, cursor.as_deref()).map_err(refused)?;
        messages.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut text = Vec::new();
    match format {
        TableFormat::Json => {
            for message in &messages {
                serde_json::to_writer(&mut text, message).map_err(Failure::failed)?;
                text.push(b'\n');
            }
        }
        TableFormat::Table => {
            let mut table = new_table();
            table.set_header(["message", "household", "written", "about", "text", "answer"]);
            for Message { uuid, household, about, text, written_at, answer, closed_at } in &messages
            {
                let answer = match (answer, closed_at) {
                    (Some(answer), _) => shown(answer),
                    (None, Some(_)) => "(closed)".to_owned(),
                    (None, None) => String::new(),
                };
                table.add_row([
                    uuid.to_string(),
                    household.to_string(),
                    written_at.to_string(),
                    about.to_string(),
                    shown(text),
                    answer,
                ]);
            }
            writeln!(text, "{table}")?;
        }
    }
    print(&text)
}

/// A text as it can be printed: letters that would change the direction of others are left out.
fn shown(text: &str) -> String {
    let is_direction = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|letter| !is_direction(*letter)).collect()
}

fn refused(error: ClientError) -> Failure {
    match &error {
        ClientError::Problem { status: 404, .. } => Failure::failed(chain(&error)).remedy(
            "`ebp message list` shows those there are; messages go with a household's consent",
        ),
        ClientError::Problem { kind, .. } if kind == problem_type::MESSAGE_CLOSED => {
            Failure::failed(chain(&error)).remedy("`ebp message list --all` shows the answer")
        }
        ClientError::Problem { status: 400 | 422, .. } => {
            Failure::failed(chain(&error)).remedy("an answer has 1 to 2000 characters")
        }
        _ => group_api::refused(Group::Researchers, error),
    }
}
