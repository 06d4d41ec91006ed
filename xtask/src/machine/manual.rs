//! `cargo xtask long manual`: what the operating manual has people type is typed, in its order.
//!
//! Enters: the pages of `docs/src/operating` in the order of the table of contents, the package. Leaves:
//! a line for each page with its time, file and line of each block that did not do what it says. Absent:
//! blocks that say `norun`.
//!
//! There are three machines in one network: `server`, which is `ebp.example.org`, and two devices. The
//! info string of a block names the machine (`run: server`) and what else stands around it:
//!
//! | word | meaning |
//! |---|---|
//! | `until` | each command is typed again until it does what the page shows, for two minutes at most |
//! | another one | the script `xtask/machine/manual/WORD.sh` runs in that machine before |
//!
//! `console` blocks are compared with what is printed, as those of the book's other pages are.

#[allow(dead_code, reason = "the book's tests use more of it")]
#[path = "../../../ebp-cli/tests/it/book/block.rs"]
mod block;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use block::{Block, Kind};

use super::{VERSIONS, debian, missing, nspawn::Machine};
use crate::{
    deb::{self, Packing},
    root, target, test,
};

/// The machines: the first is the server.
const MACHINES: [&str; 3] = ["server", "device-1", "device-2"];
/// How long a block may take.
const LONGEST: Duration = Duration::from_secs(300);
/// For how long a command is typed again.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(2);
/// What stands before each page of the manual in the table of contents.
const SECTION: &str = "](operating/";

/// Types all of it, with the program as tests have it, or a PROGRAM of one's own.
pub fn run(arguments: &[String]) -> Result<()> {
    if let Some(missing) = missing()? {
        eprintln!("\n*** SKIPPED: the manual. It needs {missing}. ***\n");
        return Ok(());
    }
    let program = match arguments {
        [] => {
            test::build_program()?;
            target().join("debug/ebp")
        }
        [program] => PathBuf::from(program),
        _ => bail!("cargo xtask long manual [PROGRAM]"),
    };
    let package = deb::build(&program, VERSIONS[0], Packing::Quick)?;
    let mut machines = boot(&package)?;
    let start = Instant::now();
    let (mut blocks, mut failed) = (0, 0);
    for page in pages()? {
        let begun = Instant::now();
        let name = page.strip_prefix(root())?.display().to_string();
        let text = fs::read_to_string(&page).with_context(|| name.clone())?;
        let mut typed = 0;
        for block in block::parse(&unindented(&text)).iter().filter(|block| block.runs.is_some()) {
            // What follows is typed nevertheless: it may fail for another reason.
            if let Err(error) = type_block(&machines, block, &name) {
                println!("manual: FAILED: {error:#}");
                failed += 1;
            }
            typed += 1;
        }
        blocks += typed;
        if typed > 0 {
            println!("manual: {name}: {typed} blocks in {} s", begun.elapsed().as_secs());
        }
    }
    if failed > 0 {
        bail!("{failed} of {blocks} blocks of the manual did something else");
    }
    println!("manual: {blocks} blocks did what they say, in {} s", start.elapsed().as_secs());
    for name in MACHINES.into_iter().rev() {
        machines.remove(name).context("a machine that was not booted")?.remove()?;
    }
    Ok(())
}

/// The machines with the package, a stick that all of them see, and the scripts of what stands around.
fn boot(package: &std::path::Path) -> Result<BTreeMap<&'static str, Machine>> {
    let folder = target().join("manual");
    fs::create_dir_all(&folder)?;
    let debian =
        debian(&target().join("machine"))?.context("Debian's packages cannot be fetched")?;
    let stick = folder.join("stick");
    if stick.exists() {
        fs::remove_dir_all(&stick)?;
    }
    fs::create_dir_all(&stick)?;
    let mut machines: BTreeMap<&str, Machine> = BTreeMap::new();
    for name in MACHINES {
        let mut machine = Machine::unpack(&debian, &folder.join(name))?;
        machine.bring(package, "root/ebp.deb")?;
        for script in crate::folder::files_below(&root().join("xtask/machine/manual"))? {
            let script_name = script.file_name().context("a script without a name")?;
            machine.bring(&script, &format!("manual/{}", script_name.to_string_lossy()))?;
        }
        machine.lend(&stick, "/media/stick");
        if let Some(server) = machines.get(MACHINES[0]) {
            machine.join(server)?;
        }
        machine.boot()?;
        machines.insert(name, machine);
    }
    Ok(machines)
}

/// The manual's pages in the order of the table of contents.
fn pages() -> Result<Vec<PathBuf>> {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md"))?;
    let names = summary.lines().filter_map(|line| {
        let (_, rest) = line.split_once(SECTION)?;
        Some(root().join("docs/src/operating").join(rest.trim_end_matches(')')))
    });
    let pages: Vec<_> = names.collect();
    if pages.is_empty() {
        bail!("the table of contents has no page of the manual");
    }
    Ok(pages)
}

/// A page whose blocks stand at the beginning of their lines: those of a numbered list are moved there.
fn unindented(page: &str) -> String {
    let mut indent = None;
    let mut text = String::new();
    for line in page.lines() {
        let start = line.trim_start();
        let is_fence = start.starts_with("```");
        let width = match (indent, is_fence) {
            (None, true) => {
                indent = Some(line.len() - start.len());
                line.len() - start.len()
            }
            (Some(width), true) => {
                indent = None;
                width
            }
            (width, false) => width.unwrap_or(0),
        };
        text += line.get(width..).unwrap_or_default();
        text.push('\n');
    }
    text
}

fn type_block(machines: &BTreeMap<&str, Machine>, block: &Block, page: &str) -> Result<()> {
    let words = block.runs.as_deref().unwrap_or_default().split(',').map(str::trim);
    let (mut machine, mut again) = (None, false);
    for word in words {
        match machine {
            None => {
                let found = machines.get(word);
                machine = Some(
                    found.with_context(|| format!("{page}:{}: no machine `{word}`", block.line))?,
                );
            }
            Some(_) if word == "until" => again = true,
            Some(machine) => {
                let (succeeded, text) =
                    machine.type_in(&format!("sh -eu /manual/{word}.sh"), LONGEST)?;
                if !succeeded {
                    bail!("{page}:{}: `{word}` failed:\n{text}", block.line);
                }
            }
        }
    }
    let machine = machine.with_context(|| format!("{page}:{}: which machine?", block.line))?;
    for (line, script, expected) in block.scripts() {
        let begun = Instant::now();
        loop {
            let (succeeded, printed) = machine.type_in(&script, LONGEST)?;
            let fits = block.kind == Kind::Shell
                || expected.is_empty()
                || block::alike(&expected, &printed);
            // A failure is right where the page shows what is printed then.
            let is_shown = expected.lines().any(|line| line != "…");
            if fits && (succeeded || is_shown) {
                break;
            }
            if !again || begun.elapsed() > PATIENCE {
                let journal = machine.type_in(JOURNAL, LONGEST)?.1;
                bail!(
                    "{page}:{line}: `{script}` in {}\n--- the page says\n{expected}--- it printed \
                     ({})\n{printed}--- the journal\n{journal}",
                    block.runs.as_deref().unwrap_or_default(),
                    if succeeded { "and succeeded" } else { "and failed" }
                );
            }
            thread::sleep(PAUSE);
        }
    }
    Ok(())
}

/// What the services said last.
const JOURNAL: &str = "journalctl --no-pager --lines=20 --unit='ebp-*' || true";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_list_stand_at_the_beginning_of_their_lines() {
        let page = "1. a\n   ```sh run: server\n   b\n     c\n   ```\n2. d\n";
        let expected = "1. a\n```sh run: server\nb\n  c\n```\n2. d\n";
        assert_eq!(unindented(page), expected);
        let blocks = block::parse(&unindented(page));
        assert_eq!((blocks.len(), blocks[0].text.as_str()), (1, "b\n  c"));
    }
}
