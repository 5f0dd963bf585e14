//! Controls that a Compose deployment on Proxmox VE is measured by.

use crate::Source;

/// A control of a published document.
#[derive(Debug)]
pub struct Control {
    /// The document and its section.
    pub source: Source,
    /// What it asks for.
    pub text: &'static str,
    /// The rules whose findings break it; none where files cannot tell.
    pub rules: &'static [&'static str],
    /// How to find out where the files cannot tell.
    pub find_out: &'static str,
}

/// All controls, by document.
#[must_use]
pub fn controls() -> &'static [Control] {
    CONTROLS
}

const fn cis(title: &'static str) -> Source {
    Source { title, url: "https://www.cisecurity.org/benchmark/docker" }
}

const fn nist(title: &'static str) -> Source {
    Source { title, url: "https://csrc.nist.gov/pubs/sp/800/190/final" }
}

const fn owasp(title: &'static str) -> Source {
    Source { title, url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html" }
}

const fn pve(title: &'static str, url: &'static str) -> Source {
    Source { title, url }
}

const fn control(
    source: Source,
    text: &'static str,
    rules: &'static [&'static str],
    find_out: &'static str,
) -> Control {
    Control { source, text, rules, find_out }
}

const CONTROLS: &[Control] = &[
    control(
        cis("CIS Docker Benchmark, section 1: Host configuration"),
        "Keep the host and the engine up to date",
        &["LIF-003", "BLD-022"],
        "`apt list --upgradable` and `docker version` in the guest",
    ),
    control(
        cis("CIS Docker Benchmark, section 2: Docker daemon configuration"),
        "Enable user namespace support",
        &[],
        "`docker info --format '{{.SecurityOptions}}'` in the guest names `userns` where it is on",
    ),
    control(
        cis("CIS Docker Benchmark, section 2: Docker daemon configuration"),
        "Enable live restore",
        &["LIF-009"],
        "`docker info --format '{{.LiveRestoreEnabled}}'` in the guest",
    ),
    control(
        cis("CIS Docker Benchmark, section 4: Container images and build files"),
        "Create a user for the container",
        &["CMP-006"],
        "`docker compose exec SERVICE id`",
    ),
    control(
        cis("CIS Docker Benchmark, section 4: Container images and build files"),
        "Do not store secrets in Dockerfiles",
        &["SEC-017"],
        "`docker history --no-trunc IMAGE`",
    ),
    control(
        cis("CIS Docker Benchmark, section 4: Container images and build files"),
        "Add a HEALTHCHECK instruction to images or services",
        &["HLT-001", "HLT-007"],
        "`docker inspect --format '{{.State.Health.Status}}'`",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Do not disable the AppArmor profile",
        &["ISO-002", "CMP-004"],
        "`docker inspect --format '{{.AppArmorProfile}}'` in the guest",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Restrict Linux kernel capabilities within containers",
        &["CMP-005", "ISO-003"],
        "`docker inspect --format '{{.HostConfig.CapDrop}}'`",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Use no privileged containers",
        &["CMP-001"],
        "`docker inspect --format '{{.HostConfig.Privileged}}'`",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Mount no sensitive directories of the host and not the Docker socket",
        &["CMP-002"],
        "`docker inspect --format '{{.Mounts}}'`",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Limit memory and processes",
        &["CMP-007"],
        "`docker stats`",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Bind incoming traffic to a specific interface of the host",
        &["NET-001", "NET-003"],
        "`ss -lntup` in the guest",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Restrict containers from acquiring additional privileges",
        &["CMP-005"],
        "`docker inspect --format '{{.HostConfig.SecurityOpt}}'`",
    ),
    control(
        cis("CIS Docker Benchmark, section 5: Container runtime"),
        "Restart a failed container on its own",
        &["HLT-008"],
        "`docker inspect --format '{{.HostConfig.RestartPolicy}}'`",
    ),
    control(
        nist("NIST SP 800-190, 4.1.1: Image vulnerabilities"),
        "Scan images for known vulnerabilities",
        &[],
        "run a scanner over the images that the release names",
    ),
    control(
        nist("NIST SP 800-190, 4.1.2: Image configuration defects"),
        "Run images as non-privileged users",
        &["CMP-006", "CMP-012"],
        "`docker inspect --format '{{.Config.User}}' IMAGE`",
    ),
    control(
        nist("NIST SP 800-190, 4.1.4: Embedded clear text secrets"),
        "Keep secrets outside of images and hand them over at run time",
        &["SEC-001", "SEC-016", "SEC-017"],
        "`docker history --no-trunc IMAGE`",
    ),
    control(
        nist("NIST SP 800-190, 4.1.5: Use of untrusted images"),
        "Use only images from sources that are trusted and identified",
        &["BLD-009", "BLD-008", "BLD-007", "BLD-006"],
        "compare the running digests with those of the release",
    ),
    control(
        nist("NIST SP 800-190, 4.3.3: Poorly separated inter-container network traffic"),
        "Separate networks by sensitivity",
        &["NET-011"],
        "`docker network inspect`",
    ),
    control(
        nist("NIST SP 800-190, 4.4.2: Unbounded network access from containers"),
        "Control what containers reach outside",
        &[],
        "list the rules of the guest's firewall for outgoing traffic",
    ),
    control(
        nist("NIST SP 800-190, 4.4.3: Insecure container runtime configurations"),
        "Keep runtime settings to a standard, seccomp and mandatory access control on",
        &["CMP-001", "CMP-004", "CMP-005"],
        "`docker inspect` of each container",
    ),
    control(
        nist("NIST SP 800-190, 4.5.2: Shared kernel"),
        "Do not run containers of different sensitivity on one kernel",
        &["ISO-001", "ISO-014"],
        "list the guests of the node and what they hold",
    ),
    control(
        nist("NIST SP 800-190, 4.5.5: Host OS file system tampering"),
        "Give containers the least access to files of the host",
        &["CMP-002", "ISO-009", "ISO-011"],
        "`docker inspect --format '{{.Mounts}}'` and the guest's `mp` lines",
    ),
    control(
        pve(
            "Proxmox VE Administration Guide, Proxmox Container Toolkit: Unprivileged Containers",
            "https://pve.proxmox.com/pve-docs/chapter-pct.html",
        ),
        "Use unprivileged containers",
        &["ISO-001"],
        "`pct config ID` on the node shows `unprivileged: 1`",
    ),
    control(
        pve(
            "Proxmox VE Administration Guide, Proxmox Container Toolkit: AppArmor",
            "https://pve.proxmox.com/pve-docs/chapter-pct.html",
        ),
        "Do not disable AppArmor for a container",
        &["ISO-002", "ISO-003"],
        "`pct config ID` on the node shows no `lxc.apparmor.profile`",
    ),
    control(
        pve(
            "Proxmox VE Administration Guide, Proxmox Container Toolkit: introduction",
            "https://pve.proxmox.com/pve-docs/chapter-pct.html",
        ),
        "Run Docker nested in a VM where isolation and live migration matter",
        &["ISO-001", "ISO-014"],
        "`qm list` and `pct list` on the node",
    ),
    control(
        pve(
            "Proxmox VE Administration Guide, User Management: API Tokens",
            "https://pve.proxmox.com/pve-docs/chapter-pveum.html",
        ),
        "Automate with API tokens of limited privileges",
        &["HST-001", "SEC-012"],
        "`pveum user token list` and the ACL on the node",
    ),
    control(
        pve(
            "Proxmox VE Administration Guide, Proxmox VE Firewall",
            "https://pve.proxmox.com/pve-docs/chapter-pve-firewall.html",
        ),
        "Switch the firewall on for the guest's interface and the datacenter",
        &["NET-005"],
        "`pve-firewall status` on the node",
    ),
    control(
        pve(
            "Proxmox VE Administration Guide, Backup and Restore",
            "https://pve.proxmox.com/pve-docs/chapter-vzdump.html",
        ),
        "Back guests up on a schedule, to another machine",
        &["DAT-004", "DAT-006", "DAT-007"],
        "`/etc/pve/jobs.cfg` on the node",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 0"),
        "Keep the host and Docker up to date",
        &["LIF-003"],
        "`apt list --upgradable` in the guest",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 1"),
        "Do not expose the Docker daemon socket",
        &["CMP-002"],
        "`docker inspect --format '{{.Mounts}}'`",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 2"),
        "Set a user",
        &["CMP-006"],
        "`docker compose exec SERVICE id`",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 3"),
        "Limit capabilities",
        &["CMP-005", "CMP-001"],
        "`docker inspect --format '{{.HostConfig.CapDrop}}'`",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 4"),
        "Prevent privilege escalation in the container",
        &["CMP-005"],
        "`docker inspect --format '{{.HostConfig.SecurityOpt}}'`",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 5"),
        "Be mindful of inter-container connectivity",
        &["NET-011"],
        "`docker network inspect`",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 6"),
        "Use a Linux security module (seccomp, AppArmor or SELinux)",
        &["CMP-004", "ISO-002"],
        "`docker info --format '{{.SecurityOptions}}'` in the guest",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 7"),
        "Limit resources",
        &["CMP-007"],
        "`docker stats`",
    ),
    control(
        owasp("OWASP Docker Security Cheat Sheet, Rule 8"),
        "Make file systems and volumes read-only",
        &["CMP-005", "CMP-012"],
        "`docker inspect --format '{{.HostConfig.ReadonlyRootfs}}'`",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_name_rules_that_exist() {
        for code in controls().iter().flat_map(|control| control.rules) {
            assert!(plimsoll_rules::registry::find(code).is_some(), "{code}");
        }
    }
}
