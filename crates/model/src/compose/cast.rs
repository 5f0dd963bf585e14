//! Texts at places where the model wants a number or a boolean, as interpolation leaves them.

use super::Kind;
use super::path::Path;

/// What a place wants.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Integer,
    Float,
    Boolean,
}

const INTEGERS: &[&str] = &[
    "services.*.configs.*.mode",
    "services.*.cpu_count",
    "services.*.cpu_period",
    "services.*.cpu_quota",
    "services.*.cpu_rt_period",
    "services.*.cpu_rt_runtime",
    "services.*.cpu_shares",
    "services.*.deploy.replicas",
    "services.*.deploy.update_config.parallelism",
    "services.*.deploy.rollback_config.parallelism",
    "services.*.deploy.restart_policy.max_attempts",
    "services.*.deploy.placement.max_replicas_per_node",
    "services.*.healthcheck.retries",
    "services.*.oom_score_adj",
    "services.*.pids_limit",
    "services.*.ports.*.target",
    "services.*.scale",
    "services.*.secrets.*.mode",
    "services.*.ulimits.*",
    "services.*.ulimits.*.hard",
    "services.*.ulimits.*.soft",
];

const FLOATS: &[&str] = &[
    "services.*.cpu_percent",
    "services.*.cpus",
    "services.*.deploy.update_config.max_failure_ratio",
    "services.*.deploy.rollback_config.max_failure_ratio",
];

const BOOLEANS: &[&str] = &[
    "services.*.init",
    "services.*.healthcheck.disable",
    "services.*.oom_kill_disable",
    "services.*.privileged",
    "services.*.read_only",
    "services.*.stdin_open",
    "services.*.tty",
    "services.*.volumes.*.read_only",
    "services.*.volumes.*.volume.nocopy",
    "networks.*.external",
    "networks.*.internal",
    "networks.*.attachable",
    "networks.*.enable_ipv6",
    "volumes.*.external",
    "secrets.*.external",
    "configs.*.external",
];

/// What the model wants at a path.
pub(super) fn wanted(path: &Path) -> Option<Wanted> {
    let lists = [(INTEGERS, Wanted::Integer), (FLOATS, Wanted::Float), (BOOLEANS, Wanted::Boolean)];
    lists
        .into_iter()
        .find(|(list, _)| list.iter().any(|pattern| path.fits(pattern)))
        .map(|(_, wanted)| wanted)
}

/// The value that a text stands for, or why it stands for none.
pub(super) fn cast(text: &str, wanted: Wanted) -> Result<Kind, String> {
    match wanted {
        Wanted::Integer => {
            text.parse().map(Kind::Integer).map_err(|_| format!("must be a whole number, not `{text}`"))
        }
        Wanted::Float => text.parse().map(Kind::Float).map_err(|_| format!("must be a number, not `{text}`")),
        Wanted::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "y" | "yes" | "on" => Ok(Kind::Bool(true)),
            "false" | "n" | "no" | "off" => Ok(Kind::Bool(false)),
            _ => Err(format!("must be true or false, not `{text}`")),
        },
    }
}
