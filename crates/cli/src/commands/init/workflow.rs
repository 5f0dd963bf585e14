//! A GitHub Actions workflow: a plan for each pull request, a deploy for each push to the main branch.

use plimsoll_config::{Build, Config, Guest, Origin, Target};

/// Where it stands.
pub(super) const FILE: &str = ".github/workflows/deploy.yml";

/// `actions/checkout` v4.2.2: the commit of that tag, <https://github.com/actions/checkout/releases/tag/v4.2.2>.
const CHECKOUT: &str = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2";

/// The workflow for a target.
pub(super) fn workflow(config: &Config, target: &Target, branch: &str) -> String {
    let name = &target.name;
    let builds = match target.build {
        Build::Local => "`plimsoll`, `ssh`, `git` and Docker Engine",
        Build::Guest => "`plimsoll`, `ssh` and `git`",
    };
    let made = config.secrets.values().any(|secret| matches!(secret.origin, Origin::Generate(_)));
    let stored = made || config.secrets.values().any(|secret| matches!(secret.origin, Origin::Store));
    let mut values = values(config, target);
    if stored {
        values.push(secret("PLIMSOLL_AGE_IDENTITY", "PLIMSOLL_AGE_IDENTITY"));
    }
    values.push(secret("SSH_KEY", "PLIMSOLL_SSH_KEY"));
    let listed: String = values.iter().map(|(key, value)| format!("          {key}: {value}\n")).collect();
    let guard = if made { guard() } else { String::new() };
    let login = match &target.guest {
        Guest::Adopt(_) => "its public half is one that the guest lets in",
        _ => "its public half stands in `ssh_keys` of the guest",
    };
    let run = |command: &str| {
        format!(
            "        env:
{listed}        run: |
          key=\"$(mktemp -p \"$RUNNER_TEMP\")\"
          trap 'rm -f \"$key\"' EXIT
          printf '%s\\n' \"$SSH_KEY\" > \"$key\"
          {command} --target {name} --identity \"$key\"
"
        )
    };
    let (plan, deploy) = (run("plimsoll plan"), run("plimsoll deploy --yes --reason \"run $GITHUB_RUN_ID\""));
    format!(
        "\
# Written by `plimsoll init --workflow`: pull requests are planned, what reaches {branch} is deployed.
#
# The runner is one of yours, in reach of the node and the guest, with {builds}.
# Two environments of the repository hold the secrets that are named below: `{name}`, open to the branch {branch} only,
# and `{name}-plan`, with a token of its own that may look and nothing else. Whoever may push a branch can read what
# the second one holds: let it ask for a reviewer. PLIMSOLL_SSH_KEY is a private key; {login}.
name: deploy

on:
  pull_request:
  push:
    branches: [{branch}]

permissions:
  contents: read

jobs:
  plan:
    # A fork's code gets neither the runner nor a secret.
    if: github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository
    runs-on: self-hosted
    timeout-minutes: 15
    environment: {name}-plan
    steps:
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
      - name: Plan
{plan}
  deploy:
    if: github.event_name == 'push'
    runs-on: self-hosted
    timeout-minutes: 60
    environment: {name}
    # One deploy at a time; one that runs is never cut off.
    concurrency:
      group: deploy-{name}
      cancel-in-progress: false
    steps:
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
{guard}      - name: Deploy
{deploy}"
    )
}

/// What the target's commands take from the environment.
fn values(config: &Config, target: &Target) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Some(proxmox) = &target.proxmox {
        out.push(secret("PLIMSOLL_PVE_TOKEN", "PLIMSOLL_PVE_TOKEN"));
        if proxmox.fingerprint.is_none() {
            out.push(variable("PLIMSOLL_PVE_FINGERPRINT"));
        }
    }
    if matches!(&target.guest, Guest::Adopt(adopted) if adopted.host_key.is_none()) {
        out.push(variable("PLIMSOLL_HOST_KEY"));
    }
    for spec in config.secrets.values() {
        if let Origin::Env(name) = &spec.origin {
            out.push(secret(name, name));
        }
    }
    out.sort();
    out.dedup();
    out
}

fn secret(name: &str, held: &str) -> (String, String) {
    (name.to_owned(), format!("${{{{ secrets.{held} }}}}"))
}

fn variable(name: &str) -> (String, String) {
    (name.to_owned(), format!("${{{{ vars.{name} }}}}"))
}

/// A secret that were made on a runner would be gone with it.
fn guard() -> String {
    let (key, value) = secret("PLIMSOLL_AGE_IDENTITY", "PLIMSOLL_AGE_IDENTITY");
    format!(
        "      - name: Every secret is in the repository
        env:
          {key}: {value}
        run: |
          plimsoll secret generate
          if [ -n \"$(git status --porcelain -- plimsoll.yaml secrets.age)\" ]; then
            echo '::error::run plimsoll secret generate in a checkout, and commit secrets.age and plimsoll.yaml'
            exit 1
          fi
"
    )
}
