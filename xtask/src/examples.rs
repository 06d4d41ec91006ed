//! `cargo xtask examples`: each example that needs nothing runs to its end, and those in Python compute
//! from an exported data set what one in Rust computes by the Data API.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    root,
    run::{output, shown, succeed},
    target, test, tool,
};

/// The examples. `embedded_device` needs a device's configuration: it is built.
const EXAMPLES: [&str; 11] = [
    "evaluate_instants",
    "quarter_hours",
    "mask_a_location",
    "decode_telegrams",
    "read_meter",
    "spool_and_send",
    "own_driver",
    "register_household",
    "operate_survey",
    "serve_and_upload",
    "receive_uploads",
];

/// It waits half a minute for a simulated meter's keys.
const SLOW: &str = "unlock_meter";

/// Its household's year is what the examples in Python read.
const YEAR: &str = "year_of_autarky";

/// What these need; DuckDB needs `pytz` to return instants.
pub const PYTHON: [&str; 5] =
    ["pandas==3.1.1", "pyarrow==26.0.1", "polars==2.1.0", "duckdb==1.5.5", "pytz"];

/// Builds all and runs them.
pub fn run() -> Result<()> {
    test::build_program()?;
    let mut slow = example(SLOW);
    let mut child = slow.spawn().with_context(|| shown(&slow))?;
    let others = EXAMPLES.iter().try_for_each(|name| succeed(&mut example(name)));
    let others = others.and_then(|()| autarky());
    // It is waited for whatever the others did.
    let status = child.wait().with_context(|| shown(&slow))?;
    others?;
    ensure!(status.success(), "`{}` failed ({status})", shown(&slow));
    Ok(())
}

fn example(name: &str) -> Command {
    Command::new(target().join("debug/examples").join(name))
}

/// A household's year: by the Data API in Rust, and from the data set in Python.
fn autarky() -> Result<()> {
    let folder = env::temp_dir().join(format!("ebp-examples-{}", std::process::id()));
    let done = year_in(&folder);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    done
}

fn year_in(folder: &Path) -> Result<()> {
    let (server, set) = (folder.join("server"), folder.join("set"));
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let expected = output(example(YEAR).arg(&server))?;
    ensure!(expected.lines().count() == 12, "{YEAR} printed no year:\n{expected}");
    println!("{expected}");
    let Some(python) = tool::python_with("examples", &PYTHON)? else {
        eprintln!(
            "\n*** SKIPPED: the examples in Python. {} and others cannot be installed here: it needs \
             Python 3 with venv, and PyPI. ***\n",
            PYTHON[0]
        );
        return Ok(());
    };
    let program = target().join("debug/ebp");
    let mut export = Command::new(&program);
    succeed(export.args(["export", "--data"]).arg(&server).arg("--output").arg(&set))?;
    succeed(Command::new(&program).args(["export", "--check"]).arg(&set))?;
    for script in scripts()? {
        let mut command = Command::new(&python);
        command.arg(&script).arg(&set);
        let printed = output(&mut command)?;
        if printed != expected {
            bail!("`{}` printed other figures than {YEAR}:\n{printed}", shown(&command));
        }
        println!("{}: the same", script.display());
    }
    Ok(())
}

/// Each example in Python.
pub fn scripts() -> Result<Vec<PathBuf>> {
    let mut scripts = crate::folder::files_below(&root().join("examples/python"))?;
    scripts.retain(|path| path.extension().is_some_and(|ending| ending == "py"));
    ensure!(!scripts.is_empty(), "there are no examples in Python");
    Ok(scripts)
}
