//! What only a trial can tell: programs may be there, and the kernel or a surrounding container still says no.

use std::path::Path;

use super::doctor::{Check, Diagnosis, check, diagnose};
use super::run::Tool;

const OUTSIDE: &str = "run it on the machine itself, or in a container with --privileged";

/// Namespaces with a bridge, a cable and a view of `/sys` of their own.
const NAMESPACES: &str = "mount -t sysfs sysfs /sys && ip link add plimsoll0 type bridge \
                          && ip link add plimsoll1 type veth peer name plimsoll2";

/// Root of an unprivileged guest, with processes of its own.
const USERS: &str = "ids=$(mktemp) && echo root:100000:65536 > \"$ids\" \
                     && mount --bind \"$ids\" /etc/subuid && mount --bind \"$ids\" /etc/subgid; done=$?; rm -f \"$ids\"; \
                     [ $done = 0 ] && exec lxc-usernsexec -m b:0:100000:65536 -- \
                     unshare --pid --fork --mount --net mount -t proc proc /proc";

/// A group in each hierarchy that limits guests. Its name is its own: others may be trying at the same time.
const GROUPS: &str = "for folder in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/devices /sys/fs/cgroup/pids; do \
                      [ -e $folder/cgroup.procs ] || continue; \
                      mkdir -p $folder/plimsoll-trial-$$ && rmdir $folder/plimsoll-trial-$$ || exit 1; done";

/// What each backend lacks here, tried out where nothing is known to be missing. A trial leaves nothing behind.
pub fn examine(cache: &Path) -> Vec<Diagnosis> {
    let mut all = diagnose(cache);
    for one in all.iter_mut().filter(|one| one.backend == "lxc") {
        let image = |check: &Check| check.enable.starts_with("plimsoll lab image");
        if one.checks.iter().all(|check| check.found || image(check)) {
            one.checks.extend(trials());
        }
    }
    all
}

fn trials() -> [Check; 3] {
    let apart = |script: &str| {
        Tool::new("unshare").args(["--mount", "--net", "--propagation", "private", "--", "sh", "-c", script])
    };
    [
        tried("networks and mounts of its own", apart(NAMESPACES)),
        tried("users of unprivileged guests", apart(USERS)),
        tried("control groups for guests", Tool::new("sh").args(["-c", GROUPS])),
    ]
}

fn tried(what: &str, tool: Tool) -> Check {
    match tool.run() {
        Ok(_) => check(what, true, ""),
        Err(error) => {
            // The first line is the reason, the others follow from it. LXC's begins with where it was written.
            let said = error.said();
            let reason =
                said.split("; ").next().and_then(|line| line.rsplit(" - ").next()).unwrap_or_default();
            check(&format!("{what} ({reason})"), false, OUTSIDE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_at_the_same_time_do_not_disturb_each_other() {
        let groups = || tried("groups", Tool::new("sh").args(["-c", GROUPS]));
        let alone = groups();
        let together = || (0..20).all(|_| groups() == alone);
        let all: Vec<bool> = std::thread::scope(|scope| {
            let trials: Vec<_> = (0..4).map(|_| scope.spawn(together)).collect();
            trials.into_iter().map(|trial| trial.join().unwrap_or(false)).collect()
        });
        assert_eq!(all, [true; 4]);
    }

    #[test]
    fn a_trial_that_fails_says_what_the_machine_said() {
        let failed = tried(
            "x",
            Tool::new("sh").args(["-c", "echo lxc 1 ERROR x.c - no such thing >&2; echo more >&2; exit 1"]),
        );
        assert_eq!((failed.found, failed.what.as_str()), (false, "x (no such thing)"));
        assert!(tried("x", Tool::new("true")).found);
    }
}
