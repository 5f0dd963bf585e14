//! The program `docker`, and what it makes containers with.

use std::path::Path;

use crate::host::{HostError, Tool};

/// What the containers of a lab are labelled with: the lab, its folder, and the machine that the folder is on.
pub(super) const LAB: &str = "plimsoll.lab";
pub(super) const FOLDER: &str = "plimsoll.lab.folder";
pub(super) const MACHINE: &str = "plimsoll.lab.machine";
/// What imported images are labelled with.
const IMAGE: &str = "plimsoll.lab.image";

/// The guest image's name in the engine; its tag is that of the file.
const REPOSITORY: &str = "plimsoll-lab-guest";

/// The commands for disks, handed over as a variable: an argument would be shown in every error.
const TOOLS: &str = include_str!("tools.sh");

pub(super) fn docker<const N: usize>(words: [&str; N]) -> Tool {
    Tool::new("docker").args(words)
}

/// The tag of an image file. Files of other packages have other names.
fn tag(image: &Path) -> String {
    let name = image.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    format!("{REPOSITORY}:{}", name.trim_matches('-'))
}

/// Makes an image of the engine from the guest image, once, and answers its name. Those of other releases are taken away.
pub(super) fn import(image: &Path) -> Result<String, HostError> {
    let name = tag(image);
    if docker(["image", "inspect", "--format", "ok", &name]).run().is_ok() {
        return Ok(name);
    }
    let label = format!("LABEL {IMAGE}={name}");
    let path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let tool = || docker(["import", "--change", &label, "--change", path]);
    // Engines from 23.0 on unpack it themselves.
    if tool().arg(image).arg(&name).run().is_err() {
        let packed = Tool::new("zstd").args(["-d", "-c", "-q", "--"]).arg(image);
        packed.pipe(tool().args(["-", name.as_str()]))?;
    }
    let old = docker([
        "image",
        "ls",
        "--filter",
        &format!("label={IMAGE}"),
        "--format",
        "{{.Repository}}:{{.Tag}}",
    ]);
    for other in old.run()?.lines().filter(|other| *other != name) {
        // One that a container still uses stays until the next time.
        let _ = docker(["image", "rm", other]).run();
    }
    Ok(name)
}

/// A volume where a container finds it. One that is made by that, because it was removed meanwhile, has the labels of the others.
pub(super) fn mount(volume: &str, at: &str, labels: &[String]) -> String {
    let labels = labels.iter().filter(|word| *word != "--label");
    // Words of a mount are a line of CSV (docker-run(1)).
    let labels = labels.map(|label| format!(",\"volume-label={}\"", label.replace('"', "\"\"")));
    format!("type=volume,source={volume},target={at}{}", labels.collect::<String>())
}

/// A command for the disks of a volume.
pub(super) fn tools(image: &str, labels: &[String], volume: &str, more: &[String], words: &[&str]) -> Tool {
    // Layers of an engine in a guest are marked with attributes that only this right reads and writes.
    docker(["run", "--rm", "--interactive", "--network", "none", "--cap-add", "SYS_ADMIN"])
        .args(["--env", "SCRIPT", "--mount", &mount(volume, "/guest", labels)])
        .args(labels)
        .args(more)
        .args([image, "sh", "-c", "eval \"$SCRIPT\"", "tools"])
        .args(words)
        .env("SCRIPT", TOOLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_mounted_with_the_labels_of_its_lab() {
        let labels =
            ["--label", "plimsoll.lab=x", "--label", "plimsoll.lab.folder=/a,\"b"].map(str::to_owned);
        assert_eq!(
            mount("v", "/guest", &labels),
            r#"type=volume,source=v,target=/guest,"volume-label=plimsoll.lab=x","volume-label=plimsoll.lab.folder=/a,""b""#
        );
    }

    #[test]
    fn an_image_file_has_a_name_of_its_own_in_the_engine() {
        assert_eq!(tag(Path::new("/x/template-8cdb7f.tar.zst")), "plimsoll-lab-guest:template-8cdb7f");
    }
}
