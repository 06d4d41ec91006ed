//! The bill of materials of a program (CycloneDX 1.6): every crate that it is built of, as Cargo says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, Result};
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Commit;
use crate::run::{cargo, output};

/// A crate as `cargo tree` shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    /// An SPDX expression; absent where it is not said.
    license: Option<String>,
    /// Of this repository, and not of a registry.
    own: bool,
}

impl Crate {
    fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version.replace('+', "%2B"))
    }
}

/// Of the program `ebp` for that target, with its usual features or with those.
///
/// # Errors
/// When Cargo cannot be asked.
pub fn bill(target: &str, features: Option<&str>, commit: &Commit) -> Result<Vec<u8>> {
    let mut command = cargo();
    command.args(["tree", "--locked", "--package", "ebp-cli", "--target", target]);
    command.args(["--edges", "normal", "--prefix", "depth", "--format", "\t{p}\t{l}"]);
    if let Some(features) = features {
        command.args(["--no-default-features", "--features", features]);
    }
    let tree = output(&mut command)?;
    let lock = fs::read_to_string("Cargo.lock").context("Cargo.lock")?;
    let bill = document(&tree, &checksums(&lock)?, commit)?;
    Ok(serde_json::to_vec_pretty(&bill)?)
}

/// SHA-256 of each crate's archive, by name and version.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        checksum: Option<String>,
    }
    let lock: Lock = toml::from_str(lock)?;
    let sums = lock.package.into_iter();
    Ok(sums
        .filter_map(|package| Some(((package.name, package.version), package.checksum?)))
        .collect())
}

/// Makes it of what `cargo tree` prints with the depth before each crate.
fn document(
    tree: &str,
    checksums: &BTreeMap<(String, String), String>,
    commit: &Commit,
) -> Result<Value> {
    let mut needs: BTreeMap<Crate, BTreeSet<String>> = BTreeMap::new();
    let mut above: Vec<Crate> = Vec::new();
    for line in tree.lines() {
        let (depth, found) = parse(line).with_context(|| format!("cargo tree: {line}"))?;
        above.truncate(depth);
        if let Some(parent) = above.last() {
            needs.entry(parent.clone()).or_default().insert(found.purl());
        }
        needs.entry(found.clone()).or_default();
        above.push(found);
    }
    let main = above.into_iter().next().context("cargo tree shows nothing")?;
    let component = |found: &Crate| {
        let mut component = json!({
            "type": if *found == main { "application" } else { "library" },
            "bom-ref": found.purl(),
            "name": found.name,
            "version": found.version,
        });
        if !found.own {
            component["purl"] = found.purl().into();
        }
        if let Some(license) = &found.license {
            component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
        }
        if let Some(sum) = checksums.get(&(found.name.clone(), found.version.clone())) {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
        }
        component
    };
    let components: Vec<_> = needs.keys().filter(|found| **found != main).map(component).collect();
    let dependencies: Vec<_> = needs
        .iter()
        .map(|(found, needs)| json!({ "ref": found.purl(), "dependsOn": needs }))
        .collect();
    let mut application = component(&main);
    application["name"] = "ebp".into();
    let mut bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": commit.date,
            "component": application,
            "properties": [{ "name": "revision", "value": commit.revision }],
        },
        "components": components,
        "dependencies": dependencies,
    });
    let serial = serial_number(bill.to_string().as_bytes());
    bill["serialNumber"] = serial.into();
    Ok(bill)
}

fn parse(line: &str) -> Option<(usize, Crate)> {
    let mut fields = line.split('\t');
    let depth = fields.next()?.parse().ok()?;
    let (name, rest) = fields.next()?.split_once(" v")?;
    let version = rest.split(' ').next()?;
    let license = fields.next()?.trim_end_matches(" (*)").trim();
    let own = rest.contains(" (/");
    let license = (!license.is_empty()).then(|| license.to_owned());
    Some((depth, Crate { name: name.to_owned(), version: version.to_owned(), license, own }))
}

/// A UUID (version 8) that follows from the content, so that the same bill has the same.
fn serial_number(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("urn:uuid:{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_becomes_components_and_dependencies() {
        let tree = "0\tebp-cli v0.1.0 (/src/ebp-cli)\tMIT OR Apache-2.0\n\
                    1\tring v0.17.14\tApache-2.0 AND ISC\n\
                    2\tcfg-if v1.0.4\tMIT/Apache-2.0\n\
                    1\tcfg-if v1.0.4\tMIT/Apache-2.0 (*)\n";
        let sums = checksums(
            "[[package]]\nname = \"ring\"\nversion = \"0.17.14\"\nchecksum = \"ab\"\n\
             [[package]]\nname = \"ebp-cli\"\nversion = \"0.1.0\"\n",
        )
        .unwrap();
        let commit = Commit {
            seconds: 0,
            date: "1970-01-01T00:00:00Z".to_owned(),
            revision: "0123".to_owned(),
        };
        let bill = document(tree, &sums, &commit).unwrap();
        assert_eq!(bill["metadata"]["component"]["name"], "ebp");
        assert_eq!(bill["metadata"]["component"]["purl"], Value::Null);
        let components = bill["components"].as_array().unwrap();
        assert_eq!(components.len(), 2);
        assert_eq!(components[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(components[1]["hashes"][0]["content"], "ab");
        let dependencies = bill["dependencies"].as_array().unwrap();
        let of = |name: &str| {
            let found = dependencies.iter().find(|own| own["ref"] == name).unwrap();
            found["dependsOn"].as_array().unwrap().len()
        };
        assert_eq!(of("pkg:cargo/ebp-cli@0.1.0"), 2);
        assert_eq!(of("pkg:cargo/ring@0.17.14"), 1);
        assert_eq!(bill, document(tree, &sums, &commit).unwrap());
        let serial = bill["serialNumber"].as_str().unwrap();
        assert_eq!((serial.len(), &serial[23..24]), (45, "8"), "{serial}");
    }
}
