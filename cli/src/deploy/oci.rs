//! A container image with one file, as an OCI image layout (OCI image specification 1.1).
//!
//! The same file gives the same bytes: no times, no owners.

use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::directory::Directory;

/// Adds `oci-layout`, `index.json` and `blobs/` to `directory`: one layer with `name` in it.
pub fn layout(directory: &mut Directory, name: &str, content: &[u8], tag: &str) -> anyhow::Result<()> {
    let tar = tar(name, content)?;
    let diff = digest(&tar);
    let mut layer = GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut layer, &tar)?;
    let layer = layer.finish()?;
    let config = json!({
        "architecture": "wasm",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [diff]},
    });
    let config = blob(directory, "application/vnd.oci.image.config.v1+json", config.to_string().into_bytes());
    let layer = blob(directory, "application/vnd.oci.image.layer.v1.tar+gzip", layer);
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]});
    let mut manifest = blob(directory, media_type, manifest.to_string().into_bytes());
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    directory.file("index.json", index.to_string());
    directory.file("oci-layout", json!({"imageLayoutVersion": "1.0.0"}).to_string());
    Ok(())
}

/// Adds a blob and returns its descriptor.
fn blob(directory: &mut Directory, media_type: &str, content: Vec<u8>) -> Value {
    let digest = digest(&content);
    let descriptor = json!({"mediaType": media_type, "digest": digest, "size": content.len()});
    directory.file(format!("blobs/{}", digest.replace(':', "/")), content);
    descriptor
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", contract::hex::encode(&Sha256::digest(bytes)))
}

fn tar(name: &str, content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, name, content)?;
    Ok(tar.into_inner()?)
}
