//! A set of files that is changed as somebody would who knows all of it: hashes and numbers of rows
//! are made anew, so that only what the files say can show it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ebp_dataset::files::{
    Cell, Format, TableWriter, Tier, Value, check_folder, hash_file, read_rows, sums, tables_of,
};

/// The rows of a file.
pub type Rows = Vec<Vec<Value>>;

/// A copy of a set.
pub struct Copy {
    folder: tempfile::TempDir,
    format: Format,
}

impl Copy {
    pub fn from_set(set: &Path, format: Format) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in names(set) {
            let to = folder.path().join(&name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(set.join(&name), to).unwrap();
        }
        Self { folder, format }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the rows of a file, whose name has no ending.
    pub fn change(&self, stem: &str, change: impl FnOnce(&mut Rows)) {
        let path = self.path(&format!("{stem}.{}", self.format.extension()));
        let name = stem.split('/').next().unwrap();
        let table = *tables_of(Tier::Internal).iter().find(|it| it.name == name).unwrap();
        let mut rows = Rows::new();
        read_rows(&path, table, self.format, &mut |_, row| rows.push(row.to_vec())).unwrap();
        change(&mut rows);
        fs::remove_file(&path).unwrap();
        let mut out = TableWriter::create(&path, table, self.format).unwrap();
        for row in &rows {
            out.push(&row.iter().map(cell).collect::<Vec<_>>()).unwrap();
        }
        out.finish().unwrap();
    }

    pub fn remove(&self, stem: &str) {
        fs::remove_file(self.path(&format!("{stem}.{}", self.format.extension()))).unwrap();
    }

    pub fn change_text(&self, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.path(name);
        let text = fs::read_to_string(&path).unwrap();
        let changed = change(text.clone());
        assert_ne!(text, changed, "{name}");
        fs::write(&path, changed).unwrap();
    }

    /// Makes the descriptions right again.
    pub fn seal(&self) {
        let read = |name: &str| -> serde_json::Value {
            serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
        };
        let (mut package, mut export) = (read("datapackage.json"), read("EXPORT.json"));
        let is_there = |file: &serde_json::Value| self.path(file["path"].as_str().unwrap());
        for (list, hash) in [(&mut package["resources"], "hash"), (&mut export["files"], "sha256")]
        {
            let list = list.as_array_mut().unwrap();
            list.retain(|file| is_there(file).exists());
            for file in list {
                let path = is_there(file);
                let sum = hash_file(&path).unwrap();
                if hash == "hash" {
                    file[hash] = format!("sha256:{sum}").into();
                    continue;
                }
                file[hash] = sum.into();
                let table = file["table"].as_str().unwrap();
                let table = tables_of(Tier::Internal).iter().find(|it| it.name == table).unwrap();
                let mut rows = 0_u64;
                // What cannot be read is left as it is described.
                if read_rows(&path, table, self.format, &mut |_, _| rows += 1).is_ok() {
                    file["rows"] = rows.into();
                }
            }
        }
        fs::write(self.path("datapackage.json"), format!("{package:#}\n")).unwrap();
        fs::write(self.path("EXPORT.json"), format!("{export:#}\n")).unwrap();
        self.sum();
    }

    /// Makes `SHA256SUMS` of the files that are there.
    pub fn sum(&self) {
        let mut all = Vec::new();
        for name in names(self.folder.path()).into_iter().filter(|name| name != "SHA256SUMS") {
            let sum = hash_file(&self.path(&name)).unwrap();
            all.push((name, sum));
        }
        let list = sums(all.iter().map(|(name, sum)| (name.as_str(), sum.as_str())));
        fs::write(self.path("SHA256SUMS"), list).unwrap();
    }

    /// What a check finds.
    pub fn findings(&self) -> Vec<String> {
        let found = check_folder(self.folder.path()).unwrap().findings;
        found.iter().map(ToString::to_string).collect()
    }

    pub fn expect(&self, finding: &str) {
        let found = self.findings();
        assert!(found.iter().any(|found| found.contains(finding)), "{finding}: {found:#?}");
    }
}

fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::Null => Cell::Null,
        Value::Text(text) => Cell::Text(text),
        Value::Double(number) => Cell::Double(*number),
        Value::Int(number) => Cell::Int(*number),
        Value::Instant(at) => Cell::Instant(*at),
        Value::Date(day) => Cell::Date(*day),
        Value::Bool(is) => Cell::Bool(*is),
    }
}

/// The files of a set, which has folders of files alone.
fn names(set: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(set).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() {
            names.extend(self::names(&entry).iter().map(|within| format!("{name}/{within}")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}
