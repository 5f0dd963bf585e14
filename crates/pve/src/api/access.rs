//! Users, tokens, roles and who may do what where.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::request::requests;
use crate::Secret;
use crate::values::flag;

/// A node's release.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeVersion {
    /// `9.2.11`.
    pub version: String,
    /// `9.2`.
    pub release: String,
}

/// A ticket with its token against forged requests.
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    /// The user.
    pub username: String,
    /// The ticket.
    pub ticket: Secret,
    /// To be sent with everything but reads.
    #[serde(rename = "CSRFPreventionToken")]
    pub csrf: Secret,
}

/// Path → privilege → whether it is inherited below.
pub type Permissions = BTreeMap<String, BTreeMap<String, u8>>;

/// A line of the access control list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AclEntry {
    /// Where.
    pub path: String,
    /// Which role.
    pub roleid: String,
    /// `user`, `group` or `token`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who.
    pub ugid: String,
    /// Whether it is inherited below.
    #[serde(default, deserialize_with = "flag")]
    pub propagate: bool,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// Its name.
    pub roleid: String,
    /// Its privileges with commas between them.
    #[serde(default)]
    pub privs: Option<String>,
    /// Whether the node made it.
    #[serde(default, deserialize_with = "flag")]
    pub special: bool,
}

impl Role {
    /// Its privileges, one by one.
    #[must_use]
    pub fn privileges(&self) -> BTreeSet<String> {
        let all = self.privs.as_deref().unwrap_or_default().split(',');
        all.filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// `user@realm`.
    pub userid: String,
    /// Whether the user may log in.
    #[serde(default, deserialize_with = "flag")]
    pub enable: bool,
    /// A remark.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// Its name.
    pub groupid: String,
    /// Its members, with commas.
    #[serde(default)]
    pub users: String,
    /// A remark.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A token of a user, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TokenInfo {
    /// The name after `!`.
    pub tokenid: String,
    /// Whether it has only what both it and its user were given.
    #[serde(default, deserialize_with = "flag")]
    pub privsep: bool,
    /// A remark.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A new token. The secret is shown this once.
#[derive(Clone, Debug, Deserialize)]
pub struct NewToken {
    /// `user@realm!name`.
    #[serde(rename = "full-tokenid")]
    pub full: String,
    /// The secret.
    pub value: Secret,
}

requests! {
    /// The release of the node that answers.
    GetVersion = Get "/version" -> NodeVersion {}

    /// Exchanges a password for a ticket.
    Login = Post "/access/ticket" -> Session {
        username: String = "username",
        password: Secret = "password",
    }

    /// What the caller may do, on the usual paths or on one.
    GetPermissions = Get "/access/permissions" -> Permissions {
        path: Option<String> = "path",
        userid: Option<String> = "userid",
    }

    /// The access control list, as far as the caller may change it.
    GetAcl = Get "/access/acl" -> Vec<AclEntry> {}

    /// Gives roles on a path, or takes them away.
    #[derive(Default)]
    UpdateAcl = Put "/access/acl" -> () {
        path: String = "path",
        roles: String = "roles",
        users: Option<String> = "users",
        groups: Option<String> = "groups",
        tokens: Option<String> = "tokens",
        propagate: Option<bool> = "propagate",
        delete: Option<bool> = "delete",
    }

    /// All roles.
    GetRoles = Get "/access/roles" -> Vec<Role> {}

    /// Privileges of a role.
    GetRole = Get "/access/roles/{roleid}" -> BTreeMap<String, u8> {
        roleid: String = "roleid",
    }

    /// Makes a role. Privileges differ between releases 8 and 9.
    CreateRole = Post "/access/roles" -> () {
        roleid: String = "roleid",
        privs: Option<String> = "privs",
    }

    /// Changes a role.
    UpdateRole = Put "/access/roles/{roleid}" -> () {
        roleid: String = "roleid",
        privs: Option<String> = "privs",
        append: Option<bool> = "append",
    }

    /// Takes a role away.
    DeleteRole = Delete "/access/roles/{roleid}" -> () {
        roleid: String = "roleid",
    }

    /// All users that the caller may see.
    GetUsers = Get "/access/users" -> Vec<User> {}

    /// Makes a user.
    #[derive(Default)]
    CreateUser = Post "/access/users" -> () {
        userid: String = "userid",
        password: Option<Secret> = "password",
        comment: Option<String> = "comment",
        enable: Option<bool> = "enable",
        expire: Option<u64> = "expire",
    }

    /// Changes a user. The groups replace those that the user is in, unless they are appended.
    #[derive(Default)]
    UpdateUser = Put "/access/users/{userid}" -> () {
        userid: String = "userid",
        groups: Option<String> = "groups",
        append: Option<bool> = "append",
        enable: Option<bool> = "enable",
        comment: Option<String> = "comment",
    }

    /// Groups that the caller may see.
    GetGroups = Get "/access/groups" -> Vec<Group> {}

    /// Makes a group.
    CreateGroup = Post "/access/groups" -> () {
        groupid: String = "groupid",
        comment: Option<String> = "comment",
    }

    /// Takes a group away, and what it was given with it.
    DeleteGroup = Delete "/access/groups/{groupid}" -> () {
        groupid: String = "groupid",
    }

    /// Takes a user away.
    DeleteUser = Delete "/access/users/{userid}" -> () {
        userid: String = "userid",
    }

    /// Tokens of a user.
    GetTokens = Get "/access/users/{userid}/token" -> Vec<TokenInfo> {
        userid: String = "userid",
    }

    /// Makes a token.
    #[derive(Default)]
    CreateToken = Post "/access/users/{userid}/token/{tokenid}" -> NewToken {
        userid: String = "userid",
        tokenid: String = "tokenid",
        privsep: Option<bool> = "privsep",
        expire: Option<u64> = "expire",
        comment: Option<String> = "comment",
    }

    /// Gives a token a new secret, shown this once. From then on the old one is worth nothing.
    RegenerateToken = Put "/access/users/{userid}/token/{tokenid}" -> NewToken {
        userid: String = "userid",
        tokenid: String = "tokenid",
        regenerate: bool = "regenerate" since V9_1,
    }

    /// Takes a token away, and what it was given with it.
    DeleteToken = Delete "/access/users/{userid}/token/{tokenid}" -> () {
        userid: String = "userid",
        tokenid: String = "tokenid",
    }
}
