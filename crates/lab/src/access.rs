//! Users, tokens, roles and privileges (pve-access-control, `RPCEnvironment.pm` and `AccessControl.pm`).

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::Release;
use crate::reply::Refusal;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `user@realm`.
    pub(crate) user: String,
    /// The token's name.
    pub(crate) token: Option<String>,
}

impl Caller {
    /// `user@realm` or `user@realm!token`, as it stands in names of tasks.
    pub(crate) fn full(&self) -> String {
        match &self.token {
            Some(token) => format!("{}!{token}", self.user),
            None => self.user.clone(),
        }
    }

    /// Whether it is `root@pam` itself. A token of that user is not.
    pub(crate) fn is_root(&self) -> bool {
        self.user == "root@pam" && self.token.is_none()
    }
}

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) password: Option<String>,
    pub(crate) enable: bool,
    pub(crate) comment: Option<String>,
    pub(crate) tokens: BTreeMap<String, Token>,
}

/// A group of users.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) comment: Option<String>,
    pub(crate) members: BTreeSet<String>,
}

/// A token of a user.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) secret: String,
    pub(crate) privsep: bool,
    pub(crate) expire: i64,
    pub(crate) comment: Option<String>,
}

/// What a subject was given on a path: role to whether it is inherited.
type Given = BTreeMap<String, bool>;

/// Everything about who may do what.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) users: BTreeMap<String, User>,
    /// Roles that were made; those of the node are in [`builtin`].
    pub(crate) roles: BTreeMap<String, BTreeSet<String>>,
    /// Path, then subject: a user, a token, or a group with `@` before its name.
    pub(crate) acl: BTreeMap<String, BTreeMap<String, Given>>,
    /// Groups by name.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Tickets that were given out, with their user and time.
    pub(crate) tickets: BTreeMap<String, (String, i64)>,
    release: Release,
}

const VM: &[&str] = &[
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.Migrate",
    "VM.PowerMgmt",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];
const AGENT: &[&str] = &[
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.GuestAgent.Unrestricted",
    "VM.Replicate",
];
const REST: &[&str] = &[
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Group.Allocate",
    "Mapping.Audit",
    "Mapping.Modify",
    "Mapping.Use",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "SDN.Allocate",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "Sys.Syslog",
    "User.Modify",
];

/// Every privilege of a release.
pub(crate) fn privileges(release: Release) -> BTreeSet<&'static str> {
    let of_release: &[&str] = if release == Release::V8 { &["VM.Monitor"] } else { AGENT };
    VM.iter().chain(of_release).chain(REST).copied().collect()
}

/// Privileges of a role that the node brings along.
pub(crate) fn builtin(release: Release, role: &str) -> Option<BTreeSet<&'static str>> {
    let all = privileges(release);
    let only = |keep: &dyn Fn(&str) -> bool| Some(all.iter().copied().filter(|name| keep(name)).collect());
    match role {
        "Administrator" => only(&|_| true),
        "NoAccess" => only(&|_| false),
        "PVEAdmin" => only(&|name| {
            !matches!(
                name,
                "Sys.PowerMgmt"
                    | "Sys.Modify"
                    | "Sys.Incoming"
                    | "Sys.AccessNetwork"
                    | "Mapping.Modify"
                    | "Permissions.Modify"
                    | "Realm.Allocate"
            )
        }),
        "PVEAuditor" => only(&|name| name.ends_with(".Audit")),
        "PVEVMAdmin" => only(&|name| name.starts_with("VM.")),
        "PVEVMUser" => only(&|name| {
            matches!(
                name,
                "VM.Audit"
                    | "VM.Backup"
                    | "VM.Config.CDROM"
                    | "VM.Config.Cloudinit"
                    | "VM.Console"
                    | "VM.PowerMgmt"
                    | "VM.GuestAgent.Audit"
            )
        }),
        "PVEDatastoreAdmin" => only(&|name| name.starts_with("Datastore.")),
        "PVEDatastoreUser" => only(&|name| matches!(name, "Datastore.Audit" | "Datastore.AllocateSpace")),
        "PVEPoolAdmin" => only(&|name| name.starts_with("Pool.")),
        "PVEPoolUser" => only(&|name| name == "Pool.Audit"),
        "PVESDNAdmin" => only(&|name| name.starts_with("SDN.")),
        "PVESDNUser" => only(&|name| matches!(name, "SDN.Audit" | "SDN.Use")),
        "PVESysAdmin" => only(&|name| matches!(name, "Sys.Audit" | "Sys.Console" | "Sys.Syslog")),
        "PVETemplateUser" => only(&|name| matches!(name, "VM.Clone" | "VM.Audit")),
        "PVEUserAdmin" => {
            only(&|name| matches!(name, "User.Modify" | "Group.Allocate" | "Realm.AllocateUser"))
        }
        "PVEMappingAdmin" => only(&|name| name.starts_with("Mapping.")),
        "PVEMappingUser" => only(&|name| matches!(name, "Mapping.Use" | "Mapping.Audit")),
        "PVEMappingAuditor" => only(&|name| name == "Mapping.Audit"),
        _ => None,
    }
}

/// Names of the roles that the node brings along.
pub(crate) const BUILTIN: [&str; 18] = [
    "Administrator",
    "NoAccess",
    "PVEAdmin",
    "PVEAuditor",
    "PVEDatastoreAdmin",
    "PVEDatastoreUser",
    "PVEMappingAdmin",
    "PVEMappingAuditor",
    "PVEMappingUser",
    "PVEPoolAdmin",
    "PVEPoolUser",
    "PVESDNAdmin",
    "PVESDNUser",
    "PVESysAdmin",
    "PVETemplateUser",
    "PVEUserAdmin",
    "PVEVMAdmin",
    "PVEVMUser",
];

impl Access {
    pub(crate) fn new(release: Release, password: &str) -> Self {
        let root = User {
            password: Some(password.to_owned()),
            enable: true,
            comment: None,
            tokens: BTreeMap::new(),
        };
        Self {
            users: BTreeMap::from([("root@pam".to_owned(), root)]),
            roles: BTreeMap::new(),
            acl: BTreeMap::new(),
            groups: BTreeMap::new(),
            tickets: BTreeMap::new(),
            release,
        }
    }

    /// A user with every privilege, made where it is not there.
    pub(crate) fn administrator(&mut self, user: &str) -> &mut User {
        let given = self.acl.entry("/".to_owned()).or_default().entry(user.to_owned()).or_default();
        given.insert("Administrator".to_owned(), true);
        self.users.entry(user.to_owned()).or_insert_with(|| User {
            password: None,
            enable: true,
            comment: None,
            tokens: BTreeMap::new(),
        })
    }

    pub(crate) fn role(&self, name: &str) -> Option<BTreeSet<String>> {
        let own = self.roles.get(name).cloned();
        own.or_else(|| Some(builtin(self.release, name)?.into_iter().map(str::to_owned).collect()))
    }

    pub(crate) fn token(&self, user: &str, name: &str) -> Option<&Token> {
        self.users.get(user)?.tokens.get(name)
    }

    /// What a subject was given on exactly this path. A user without entries of its own has those of its groups.
    fn given(&self, subject: &str, path: &str) -> Given {
        let Some(subjects) = self.acl.get(path) else { return Given::new() };
        if let Some(own) = subjects.get(subject) {
            return own.clone();
        }
        let groups = self.groups.iter().filter(|(_, group)| group.members.contains(subject));
        groups
            .filter_map(|(name, _)| subjects.get(&format!("@{name}")))
            .flatten()
            .map(|(role, kept)| (role.clone(), *kept))
            .collect()
    }

    /// Roles of one subject on a path. What stands deeper replaces what is inherited.
    fn roles_on(&self, subject: &str, path: &str) -> Given {
        let mut roles = Given::new();
        for (level, last) in levels(path) {
            let mut here = self.given(subject, &level);
            here.retain(|_, inherited| last || *inherited);
            if here.is_empty() {
                continue;
            }
            roles = if here.contains_key("NoAccess") {
                Given::from([("NoAccess".to_owned(), true)])
            } else {
                here
            };
        }
        roles
    }

    fn privileges_of(&self, subject: &str, path: &str, pool: Option<&str>) -> BTreeMap<String, bool> {
        let mut all = BTreeMap::new();
        let roles = self.roles_on(subject, path);
        let of_pool = pool.map(|pool| self.roles_on(subject, &format!("/pool/{pool}"))).unwrap_or_default();
        let no_access = roles.contains_key("NoAccess");
        // What comes with a pool is added, and goes no deeper.
        let added = of_pool.into_keys().filter(|_| !no_access).map(|role| (role, false));
        for (role, inherited) in added.chain(roles) {
            for name in self.role(&role).unwrap_or_default() {
                all.insert(name, inherited);
            }
        }
        all
    }

    /// What a caller may do on a path: privilege to whether it is inherited below. `pool` is the pool of the guest or storage there.
    pub(crate) fn effective(
        &self,
        caller: &Caller,
        path: &str,
        pool: Option<&str>,
    ) -> BTreeMap<String, bool> {
        let everything =
            || privileges(self.release).into_iter().map(|name| (name.to_owned(), true)).collect();
        let of_user = |user: &str| {
            if user == "root@pam" { everything() } else { self.privileges_of(user, path, pool) }
        };
        let Some(name) = &caller.token else { return of_user(&caller.user) };
        let privsep = self.token(&caller.user, name).is_none_or(|token| token.privsep);
        let mut user = of_user(&caller.user);
        if privsep {
            let token = self.privileges_of(&caller.full(), path, pool);
            user.retain(|name, _| token.contains_key(name));
        }
        user
    }

    pub(crate) fn forget(&mut self, subject: &str) {
        for subjects in self.acl.values_mut() {
            subjects.remove(subject);
        }
        self.acl.retain(|_, subjects| !subjects.is_empty());
    }
}

/// The path and everything above it, from the top; the flag marks the path itself.
fn levels(path: &str) -> Vec<(String, bool)> {
    let mut out = vec![("/".to_owned(), path == "/")];
    let mut at = String::new();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (index, part) in parts.iter().enumerate() {
        at = format!("{at}/{part}");
        out.push((at.clone(), index + 1 == parts.len()));
    }
    out
}

/// Whether a path may carry a list entry.
pub(crate) fn is_acl_path(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    path == "/"
        || match parts.as_slice() {
            ["access" | "nodes" | "pool" | "sdn" | "storage" | "vms" | "mapping"] => true,
            ["access", "groups" | "realm", ..] => parts.len() <= 3,
            ["nodes" | "storage", _] => true,
            ["vms", id] => id.parse::<u32>().is_ok_and(|id| id >= 100),
            ["pool", ..] => parts.len() <= 4,
            ["sdn", "zones", ..] => parts.len() <= 5,
            ["sdn", "controllers" | "dns" | "fabrics" | "ipams" | "prefix-lists" | "route-maps", ..] => {
                parts.len() <= 3
            }
            ["mapping", ..] => parts.len() <= 3,
            _ => false,
        }
}

/// `Permission check failed (/vms/100, VM.Audit)`.
pub(crate) fn missing(path: &str, any: &[&str]) -> Refusal {
    Refusal::denied(&format!("{path}, {}", any.join("|")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let mut access = Access::new(Release::V9, "secret");
        let token = Token { secret: "s".into(), privsep: true, expire: 0, comment: None };
        let tokens = BTreeMap::from([("ci".to_owned(), token)]);
        let user = User { password: None, enable: true, comment: None, tokens };
        access.users.insert("deploy@pve".into(), user);
        access
    }

    fn give(access: &mut Access, path: &str, who: &str, role: &str, inherited: bool) {
        access
            .acl
            .entry(path.into())
            .or_default()
            .entry(who.into())
            .or_default()
            .insert(role.into(), inherited);
    }

    fn has(access: &Access, token: bool, path: &str, privilege: &str) -> bool {
        let caller = Caller { user: "deploy@pve".into(), token: token.then(|| "ci".to_owned()) };
        access.effective(&caller, path, None).contains_key(privilege)
    }

    #[test]
    fn a_separated_token_has_only_what_both_were_given() {
        let mut access = access();
        give(&mut access, "/vms", "deploy@pve!ci", "PVEVMAdmin", true);
        assert!(!has(&access, true, "/vms/100", "VM.Audit"));
        give(&mut access, "/vms", "deploy@pve", "PVEVMUser", true);
        assert!(has(&access, true, "/vms/100", "VM.Audit"));
        assert!(!has(&access, true, "/vms/100", "VM.Allocate"));
    }

    #[test]
    fn what_stands_deeper_replaces_what_is_inherited() {
        let mut access = access();
        give(&mut access, "/", "deploy@pve", "PVEVMAdmin", true);
        give(&mut access, "/vms/100", "deploy@pve", "PVETemplateUser", true);
        assert!(has(&access, false, "/vms/101", "VM.Allocate"));
        assert!(
            !has(&access, false, "/vms/100", "VM.Allocate") && has(&access, false, "/vms/100", "VM.Clone")
        );
        give(&mut access, "/vms/101", "deploy@pve", "NoAccess", true);
        assert!(!has(&access, false, "/vms/101", "VM.Audit"));
    }

    #[test]
    fn a_user_has_what_its_groups_were_given_unless_it_was_given_something_itself() {
        let mut access = access();
        let members = BTreeSet::from(["deploy@pve".to_owned()]);
        access.groups.insert("ops".into(), Group { members, ..Group::default() });
        give(&mut access, "/vms", "@ops", "PVEVMAdmin", true);
        assert!(
            has(&access, false, "/vms/100", "VM.Allocate") && !has(&access, true, "/vms/100", "VM.Allocate")
        );
        give(&mut access, "/vms", "deploy@pve", "PVEVMUser", true);
        assert!(
            !has(&access, false, "/vms/100", "VM.Allocate") && has(&access, false, "/vms/100", "VM.Audit")
        );
    }

    #[test]
    fn what_is_not_inherited_stays_where_it_is() {
        let mut access = access();
        give(&mut access, "/vms", "deploy@pve", "PVEVMAdmin", false);
        assert!(has(&access, false, "/vms", "VM.Audit") && !has(&access, false, "/vms/100", "VM.Audit"));
    }

    #[test]
    fn a_pool_adds_to_its_members() {
        let mut access = access();
        give(&mut access, "/pool/apps", "deploy@pve", "PVEVMAdmin", true);
        let caller = Caller { user: "deploy@pve".into(), token: None };
        assert!(access.effective(&caller, "/vms/100", Some("apps")).contains_key("VM.Audit"));
        assert!(!access.effective(&caller, "/vms/100", None).contains_key("VM.Audit"));
    }

    #[test]
    fn releases_differ_in_their_privileges() {
        assert!(
            privileges(Release::V8).contains("VM.Monitor") && !privileges(Release::V9).contains("VM.Monitor")
        );
        assert!(
            is_acl_path("/vms/100")
                && is_acl_path("/sdn/zones/localnetwork/vmbr0")
                && !is_acl_path("/nosuch")
        );
    }
}
