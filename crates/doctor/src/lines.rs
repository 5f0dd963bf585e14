//! The commands for the node's administrator that grant what is needed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::needs::Needs;

/// Names of what is made on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// `plimsoll@pve`.
    pub user: String,
    /// The token's name behind the `!`.
    pub token: String,
    /// What names of roles begin with.
    pub role: String,
    /// Whether user and token are there already.
    pub known: bool,
}

impl Names {
    /// Names for a target whose token is not made yet.
    #[must_use]
    pub fn new(app: &str, target: &str) -> Self {
        let token = format!("{app}-{target}");
        // Names of tokens begin with a letter.
        let token =
            if token.starts_with(|c: char| c.is_ascii_alphabetic()) { token } else { format!("app-{token}") };
        Self { user: "plimsoll@pve".to_owned(), role: token.clone(), token, known: false }
    }

    /// The same for roles that are given apart from the others.
    #[must_use]
    pub fn apart(mut self, what: &str) -> Self {
        self.role = format!("{}-{what}", self.role);
        self
    }

    /// The same for a token that is there, `user@realm!name`. Another user than root's is kept.
    #[must_use]
    pub fn with_token(mut self, id: &str) -> Self {
        if let Some((user, token)) = id.split_once('!').filter(|(user, _)| *user != "root@pam") {
            (self.user, self.token, self.known) = (user.to_owned(), token.to_owned(), true);
        }
        self
    }
}

/// The lines, for a shell on the node. Roles that are there, given with their privileges, are changed or left alone.
///
/// A token with separated privileges has what both it and its user were given, so both are given each role.
#[must_use]
pub fn lines(needs: &Needs, names: &Names, present: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut by_path: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, privilege) in &needs.privileges {
        by_path.entry(path).or_default().insert(privilege);
    }
    let Names { user, token, role, known } = names;
    let mut out = Vec::new();
    for (path, privileges) in &by_path {
        let name = format!("{role}-{}", slug(path));
        let list: Vec<&str> = privileges.iter().copied().collect();
        let verb = match present.get(&name) {
            None => "add",
            Some(there) if there.iter().map(String::as_str).eq(privileges.iter().copied()) => continue,
            Some(_) => "modify",
        };
        out.push(format!("pveum role {verb} {name} --privs '{}'", list.join(" ")));
    }
    if !known {
        let pools = by_path.keys().filter_map(|path| path.strip_prefix("/pool/"));
        out.extend(pools.map(|pool| format!("pveum pool add {pool}")));
        out.push(format!("pveum user add {user}"));
        out.push(format!("pveum user token add {user} {token} --privsep 1"));
    }
    for path in by_path.keys() {
        let name = format!("{role}-{}", slug(path));
        // What is given on the cluster is not given on everything below it.
        let here = if *path == "/" { " --propagate 0" } else { "" };
        out.push(format!(
            "pveum acl modify {path} --users {user} --tokens '{user}!{token}' --roles {name}{here}"
        ));
    }
    out
}

/// A word for a path: the end of a role's name.
fn slug(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["pool" | "vms", ..] => "guest".to_owned(),
        ["sdn", ..] => "network".to_owned(),
        ["nodes", ..] => "node".to_owned(),
        [] => "cluster".to_owned(),
        _ => parts.join("-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::tests::{adopted, lxc, vm};

    fn shown(work: &crate::Work, names: &Names) -> String {
        lines(&Needs::of(work), names, &BTreeMap::new()).join("\n")
    }

    #[test]
    fn the_lines_of_each_release() {
        let names = Names::new("shop", "production");
        insta::assert_snapshot!("lines_machine_9", shown(&vm(9), &names));
        insta::assert_snapshot!("lines_machine_8", shown(&vm(8), &names));
        insta::assert_snapshot!("lines_container", shown(&lxc(), &names));
    }

    #[test]
    fn a_token_that_is_there_is_kept_and_root_s_is_not() {
        let names = Names::new("shop", "production");
        insta::assert_snapshot!(shown(&adopted(), &names.clone().with_token("deploy@pve!ci")), @r"
        pveum role add shop-production-storage-backup --privs 'Datastore.AllocateSpace'
        pveum role add shop-production-guest --privs 'VM.Audit VM.Backup VM.PowerMgmt VM.Snapshot'
        pveum acl modify /storage/backup --users deploy@pve --tokens 'deploy@pve!ci' --roles shop-production-storage-backup
        pveum acl modify /vms/107 --users deploy@pve --tokens 'deploy@pve!ci' --roles shop-production-guest
        ");
        assert_eq!(names.clone().with_token("root@pam!ci"), names);
        assert_eq!(Names::new("2048", "lab").token, "app-2048-lab");
    }

    #[test]
    fn roles_that_are_there_are_changed_or_left_alone() {
        let role =
            |name: &str, all: &[&str]| (name.to_owned(), all.iter().map(|one| (*one).to_owned()).collect());
        let present = BTreeMap::from([
            role("shop-production-guest", &["VM.Audit"]),
            role("shop-production-storage-backup", &["Datastore.AllocateSpace"]),
        ]);
        let lines = lines(&Needs::of(&adopted()), &Names::new("shop", "production"), &present);
        assert!(lines[0].starts_with("pveum role modify shop-production-guest --privs 'VM.Audit VM.Backup"));
        assert_eq!(lines[1], "pveum user add plimsoll@pve");
    }
}
