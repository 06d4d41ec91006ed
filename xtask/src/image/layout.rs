//! An OCI image layout: a folder of blobs by their SHA-256, and a list of what they begin with.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The kinds of blobs that this project writes.
pub mod media {
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    pub const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
}

/// Whose value is the tag by which tools find an image in a layout.
pub const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// How a blob is named by what refers to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    /// `sha256:` and 64 digits.
    pub digest: String,
    /// In bytes.
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Of that blob.
    pub fn for_blob(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The same without what only its list says of it.
    pub fn plain(&self) -> Self {
        Self { artifact_type: None, platform: None, annotations: BTreeMap::new(), ..self.clone() }
    }
}

/// `sha256:` and the digits of that hash.
pub fn digest(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    hash.as_ref().iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The folder.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// An empty one, in the place of one that was there.
    ///
    /// # Errors
    /// When the folder holds something else, or cannot be written.
    pub fn create(folder: &Path) -> Result<Self> {
        if folder.join("oci-layout").exists() {
            fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let blobs = folder.join("blobs/sha256");
        if folder.exists() && fs::read_dir(folder)?.next().is_some() {
            bail!("{} is not empty, and no image layout", folder.display());
        }
        fs::create_dir_all(&blobs).with_context(|| blobs.display().to_string())?;
        fs::write(folder.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string())?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// One that was written.
    pub fn open(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Adds a blob.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor> {
        let descriptor = Descriptor::for_blob(media_type, bytes);
        let path = self.path(&descriptor.digest)?;
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        Ok(descriptor)
    }

    /// Adds a document.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_json(&self, media_type: &str, value: &Value) -> Result<Descriptor> {
        self.add(media_type, value.to_string().as_bytes())
    }

    /// Adds the manifest of an artifact that belongs to `subject`: files of one kind, with their names.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn attach(
        &self,
        subject: &Descriptor,
        artifact_type: &str,
        files: &[(&str, &[u8])],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Descriptor> {
        let mut layers = Vec::new();
        for (name, bytes) in files {
            let mut layer = self.add(artifact_type, bytes)?;
            layer
                .annotations
                .insert("org.opencontainers.image.title".to_owned(), (*name).to_owned());
            layers.push(layer);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media::MANIFEST,
            "artifactType": artifact_type,
            "config": self.add_json(media::EMPTY, &json!({}))?,
            "layers": layers,
            "subject": subject.plain(),
            "annotations": annotations,
        });
        let mut manifest = self.add_json(media::MANIFEST, &manifest)?;
        manifest.artifact_type = Some(artifact_type.to_owned());
        Ok(manifest)
    }

    /// Writes what the layout begins with.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&self, first: &[Descriptor]) -> Result<()> {
        let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": first });
        let path = self.folder.join("index.json");
        fs::write(&path, index.to_string()).with_context(|| path.display().to_string())
    }

    /// What the layout begins with.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn first(&self) -> Result<Vec<Descriptor>> {
        let path = self.folder.join("index.json");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        children(text.as_bytes())
    }

    /// A blob, whose hash is checked.
    ///
    /// # Errors
    /// When it cannot be read, or is another than its name says.
    pub fn read(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let path = self.path(&descriptor.digest)?;
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        if digest(&bytes) != descriptor.digest {
            bail!("{} was changed", path.display());
        }
        Ok(bytes)
    }

    fn path(&self, digest: &str) -> Result<PathBuf> {
        let hash = digest.strip_prefix("sha256:").context("a digest that is no SHA-256")?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| self.folder.join("blobs/sha256").join(hash)).context("a digest too short")
    }
}

/// What an index or a manifest refers to: manifests, or configuration and layers.
///
/// # Errors
/// When it is neither.
pub fn children(document: &[u8]) -> Result<Vec<Descriptor>> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(default)]
        manifests: Vec<Descriptor>,
        config: Option<Descriptor>,
        #[serde(default)]
        layers: Vec<Descriptor>,
    }
    let Document { manifests, config, layers } = serde_json::from_slice(document)?;
    Ok(manifests.into_iter().chain(config).chain(layers).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_named_by_their_hash_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        let blob = layout.add("text/plain", b"abc").unwrap();
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(blob.digest, format!("sha256:{hash}"));
        assert_eq!(layout.read(&blob).unwrap(), b"abc");
        fs::write(folder.path().join("blobs/sha256").join(hash), "abd").unwrap();
        assert!(layout.read(&blob).unwrap_err().to_string().contains("was changed"));
        let outside = Descriptor { digest: "sha256:../../index.json".to_owned(), ..blob };
        assert!(layout.read(&outside).is_err());
    }

    #[test]
    fn a_folder_of_something_else_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "").unwrap();
        assert!(Layout::create(folder.path()).is_err());
        assert!(folder.path().join("thesis.txt").exists());
    }
}
