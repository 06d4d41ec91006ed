//! Static files: style, scripts and pictures, named by their content, compressed once.

use std::{io::Write, sync::LazyLock};

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use ring::digest::{SHA256, digest};

/// A year: the name changes with the content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A static file.
struct File {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
}

const FILES: &[File] = &[
    File {
        name: "style.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../../assets/style.css"),
    },
    #[cfg(feature = "cloud")]
    File {
        name: "cloud.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../../assets/cloud.css"),
    },
    File {
        name: "region.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../assets/region.js"),
    },
    File {
        name: "chart.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../assets/chart.js"),
    },
    File {
        name: "check.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../assets/check.js"),
    },
    #[cfg(feature = "registration")]
    File {
        name: "place.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../assets/place.js"),
    },
    #[cfg(feature = "cloud")]
    File {
        name: "draft.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../assets/draft.js"),
    },
    File {
        name: "fresh.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../assets/fresh.js"),
    },
    File {
        name: "icon.svg",
        media_type: "image/svg+xml",
        content: include_bytes!("../../assets/icon.svg"),
    },
];

/// A file with what is computed of it once.
struct Prepared {
    file: &'static File,
    hashed_name: String,
    /// As it is sent: style without the spaces at the beginning of its lines.
    content: Bytes,
    compressed: Bytes,
}

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| FILES.iter().map(prepare).collect());

fn prepare(file: &'static File) -> Prepared {
    let content = match file.media_type.starts_with("text/css") {
        true => without_layout(file.content),
        false => Bytes::from_static(file.content),
    };
    let hash = digest(&SHA256, &content);
    let short: String = hash.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let (stem, extension) = file.name.rsplit_once('.').unwrap_or((file.name, ""));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail; an empty file would be served uncompressed.
    let written = encoder.write_all(&content).and_then(|()| encoder.finish());
    Prepared {
        file,
        hashed_name: format!("{stem}-{short}.{extension}"),
        compressed: written.unwrap_or_default().into(),
        content,
    }
}

/// A style sheet without indentation, lines of comments, and ends of lines that separate nothing.
fn without_layout(text: &[u8]) -> Bytes {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut out = Vec::with_capacity(text.len());
    for line in lines.filter(|line| !(line.starts_with(b"/*") && line.ends_with(b"*/"))) {
        out.extend_from_slice(line);
        if line.last().is_some_and(|last| !b"{};,".contains(last)) {
            out.push(b'\n');
        }
    }
    out.into()
}

/// The path of a static file, which changes with its content.
#[must_use]
pub fn path(name: &str) -> String {
    let found = PREPARED.iter().find(|prepared| prepared.file.name == name);
    found.map_or_else(String::new, |prepared| format!("/static/{}", prepared.hashed_name))
}

/// `GET /static/{name}`.
pub async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(prepared) = PREPARED.iter().find(|prepared| prepared.hashed_name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|coding| coding.trim().starts_with("gzip")));
    let compress = accepts && !prepared.compressed.is_empty();
    let body = if compress { &prepared.compressed } else { &prepared.content }.clone();
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(prepared.file.media_type));
    headers.insert(header::CACHE_CONTROL, FOR_EVER);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if compress {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(name: &str, encoding: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(encoding).unwrap());
        serve(Path(name.to_owned()), headers).await
    }

    #[tokio::test]
    async fn files_are_named_by_their_content() {
        let style = path("style.css");
        let name = style.strip_prefix("/static/").unwrap();
        assert!(name.starts_with("style-") && name.len() == "style-.css".len() + 12, "{name}");
        let answer = get(name, "br, gzip").await;
        assert_eq!(answer.headers()[header::CACHE_CONTROL], FOR_EVER);
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(!get(name, "br").await.headers().contains_key(header::CONTENT_ENCODING));
        for other in ["style.css", "style-000000000000.css", "../Cargo.toml", "..%2fCargo.toml", ""]
        {
            assert_eq!(get(other, "gzip").await.status(), 404, "{other}");
        }
    }

    #[test]
    fn files_are_small() {
        let size = |extension: &str| -> usize {
            PREPARED
                .iter()
                .filter(|prepared| prepared.file.name.ends_with(extension))
                .map(|prepared| prepared.content.len())
                .sum()
        };
        assert!(size(".js") <= 12_000, "{} bytes of script", size(".js"));
        // Participants' pages have the first alone.
        for (name, most) in [("style.css", 10_000), ("cloud.css", 5_000)] {
            assert!(size(name) <= most, "{name} has {} bytes", size(name));
        }
        // What the pages of researchers and administrators load besides.
        let styles = PREPARED.iter().filter(|prepared| prepared.file.name.ends_with(".css"));
        let compressed: usize = styles.map(|prepared| prepared.compressed.len()).sum();
        assert!(compressed <= 5_000, "{compressed} bytes of compressed style");
    }
}
