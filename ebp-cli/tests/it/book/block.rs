//! Fenced blocks of Markdown that a reader may type.

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Commands.
    Shell,
    /// Commands behind `$ `, each with what it prints below it.
    Console,
}

/// A block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub kind: Kind,
    /// The line of its first line.
    pub line: usize,
    /// The name of its stage, empty for none; nothing where it is not run.
    pub runs: Option<String>,
    pub text: String,
}

/// The `sh` and `console` blocks of a page.
pub fn parse(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        let kind = match language {
            "sh" => Kind::Shell,
            "console" => Kind::Console,
            _ => continue,
        };
        let runs =
            rest.strip_prefix("run").filter(|stage| stage.is_empty() || stage.starts_with(':'));
        let runs = runs.map(|stage| stage.trim_start_matches(':').trim().to_owned());
        blocks.push(Block { kind, line: at + 2, runs, text: text.join("\n") });
    }
    blocks
}

/// The texts of a page's blocks in that language.
pub fn texts(page: &str, language: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if info == language {
            texts.push(text.join("\n") + "\n");
        }
    }
    texts
}

impl Block {
    /// Its scripts, each with its line and what it is expected to print.
    pub fn scripts(&self) -> Vec<(usize, String, String)> {
        if self.kind == Kind::Shell {
            return vec![(self.line, self.text.clone(), String::new())];
        }
        let mut scripts: Vec<(usize, String, String)> = Vec::new();
        for (at, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("$ "), scripts.last_mut()) {
                (Some(command), _) => {
                    scripts.push((self.line + at, command.to_owned(), String::new()));
                }
                (None, Some((_, _, expected))) => {
                    expected.push_str(line);
                    expected.push('\n');
                }
                (None, None) => panic!("line {}: output before any command", self.line + at),
            }
        }
        scripts
    }
}

/// Whether what was printed is what stands in the book, but for numbers and the width of columns. A
/// line `…` stands for any lines, and `…` within a line for any characters.
pub fn alike(expected: &str, printed: &str) -> bool {
    let expected: Vec<String> = expected.lines().map(normal).collect();
    let printed: Vec<String> = printed.lines().map(normal).collect();
    fits(&expected, &printed)
}

fn fits(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((any, rest)) if any == "…" => {
            (0..=printed.len()).any(|passed| fits(rest, &printed[passed..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_fits(line, first) && fits(rest, others)),
    }
}

fn line_fits(expected: &str, printed: &str) -> bool {
    let Some((start, mut rest)) = expected.split_once('…') else { return expected == printed };
    let Some(mut printed) = printed.strip_prefix(start) else { return false };
    while let Some((part, after)) = rest.split_once('…') {
        let Some(at) = printed.find(part) else { return false };
        (rest, printed) = (after, &printed[at + part.len()..]);
    }
    printed.ends_with(rest)
}

/// A line with each number as `0`, and what fills columns once.
fn normal(line: &str) -> String {
    let mut out = String::new();
    let mut letters = line.trim_end().chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() {
            while letters.next_if(|next| next.is_ascii_digit() || *next == '.').is_some() {}
            // A sign that belongs to it.
            if out.ends_with(" -") {
                out.pop();
            }
            out.push('0');
        } else if !(matches!(letter, ' ' | '─' | '═') && out.ends_with(letter)) {
            out.push(letter);
        }
    }
    out
}

#[test]
fn blocks_say_how_they_are_run() {
    let page = "a\n```sh run\necho a\necho b\n```\n```console run: meter\n$ c\nout\n$ d\n```\n\
                ```sh norun: needs a head\ne\n```\n```toml\nrun = 1\n```\n";
    let blocks = parse(page);
    let runs: Vec<_> = blocks.iter().map(|block| block.runs.as_deref()).collect();
    assert_eq!(runs, [Some(""), Some("meter"), None]);
    assert_eq!(blocks[0].scripts(), [(3, "echo a\necho b".to_owned(), String::new())]);
    assert_eq!(
        blocks[1].scripts(),
        [(7, "c".to_owned(), "out\n".to_owned()), (9, "d".to_owned(), String::new())]
    );
}

#[test]
fn numbers_and_widths_may_differ_and_nothing_else() {
    assert!(alike("│ 1.8.0 ┆   -0.015 │\n", "│ 1.8.0 ┆ 12.7 │\n"));
    assert!(alike("a\n…\nz\n", "a\nb\nc\nz\n"));
    assert!(!alike("a\n…\nz\n", "a\nb\n"));
    assert!(alike("{\"a\":\"…\",\"b\":…}\n", "{\"a\":\"x\",\"b\":\"y\"}\n"));
    assert!(!alike("{\"a\":\"…\",\"b\":1}\n", "{\"a\":\"x\",\"c\":1}\n"));
    assert!(!alike("a\n", "b\n") && !alike("a\n", "a\nb\n"));
}
