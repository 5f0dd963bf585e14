//! Volume is mounted where the image keeps no data.

use plimsoll_model::Facts;
use plimsoll_model::compose::MountKind;
use plimsoll_model::images::KnownImage;
use plimsoll_syntax::dockerfile::ImageReference;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-008",
    name: "volume-at-the-wrong-path",
    title: "Volume is mounted where the image keeps no data",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("volume_at_the_wrong_path.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (_, service) in facts.stacks.deployed_services() {
        let Some(image) = &service.image else { continue };
        let Some(known) = ImageReference::parse(&image.value).as_ref().and_then(KnownImage::find) else {
            continue;
        };
        if known.data.is_empty() || !known.role.is_data_service() {
            continue;
        }
        let volumes: Vec<_> = service
            .volumes
            .iter()
            .filter(|mount| matches!(mount.kind, MountKind::Volume | MountKind::Bind) && !mount.read_only)
            .collect();
        let fits = |target: &str| {
            known.data.iter().any(|data| {
                let target = target.trim_end_matches('/');
                target == *data
                    || data.starts_with(&format!("{target}/"))
                    || target.starts_with(&format!("{data}/"))
            })
        };
        let moved = service.environment.keys().any(|key| matches!(key.as_str(), "PGDATA" | "MINIO_VOLUMES"))
            || service.command.is_some();
        if moved || volumes.is_empty() || volumes.iter().any(|mount| fits(&mount.target)) {
            continue;
        }
        let Some(mount) =
            volumes.iter().find(|mount| !mount.target.contains("init") && !mount.target.ends_with(".conf"))
        else {
            continue;
        };
        findings
            .add(
                mount.place,
                format!(
                    "`{}` keeps its data in `{}`, not in `{}`",
                    service.name,
                    known.data.join("` or `"),
                    mount.target
                ),
            )
            .label("stays empty")
            .related(image.place, "this image")
            .note("the data goes into an anonymous volume and is left behind when the container is made anew")
            .help(format!("mount the volume at `{}`", known.data.first().copied().unwrap_or_default()));
    }
}
