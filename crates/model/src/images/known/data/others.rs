//! Identity, administration interfaces and applications.

use super::NONE;
use crate::images::known::system::Os;
use crate::images::known::table::{KnownImage, Role};

pub(super) const IMAGES: &[KnownImage] = &[
    KnownImage {
        names: &["keycloak/keycloak"],
        role: Role::Identity,
        default_os: Os::Unknown,
        ports: &[8080, 8443],
        user: Some("1000"),
        first_start: &[
            "KEYCLOAK_ADMIN_PASSWORD",
            "KEYCLOAK_ADMIN",
            "KC_BOOTSTRAP_ADMIN_PASSWORD",
            "KC_BOOTSTRAP_ADMIN_USERNAME",
        ],
        data: &["/opt/keycloak/data"],
        programs: &["bash"],
        ..NONE
    },
    KnownImage {
        names: &["authelia/authelia"],
        role: Role::Identity,
        default_os: Os::Alpine,
        ports: &[9091],
        data: &["/config"],
        programs: &["authelia"],
        ..NONE
    },
    KnownImage {
        names: &["goauthentik/server"],
        role: Role::Identity,
        default_os: Os::DebianSlim,
        ports: &[9000, 9443],
        user: Some("authentik"),
        first_start: &["AUTHENTIK_BOOTSTRAP_PASSWORD", "AUTHENTIK_BOOTSTRAP_TOKEN"],
        ..NONE
    },
    KnownImage {
        names: &["hashicorp/vault", "vault"],
        role: Role::Identity,
        default_os: Os::Alpine,
        ports: &[8200],
        drops_root: true,
        data: &["/vault/file"],
        programs: &["vault"],
        ..NONE
    },
    KnownImage {
        names: &["vaultwarden/server"],
        role: Role::Identity,
        default_os: Os::DebianSlim,
        ports: &[80],
        data: &["/data"],
        programs: &["curl"],
        ..NONE
    },
    KnownImage {
        names: &["adminer"],
        role: Role::Administration,
        default_os: Os::Alpine,
        ports: &[8080],
        user: Some("adminer"),
        programs: &["php"],
        ..NONE
    },
    KnownImage {
        names: &["phpmyadmin", "phpmyadmin/phpmyadmin"],
        role: Role::Administration,
        default_os: Os::DebianSlim,
        ports: &[80],
        programs: &["php", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["dpage/pgadmin4"],
        role: Role::Administration,
        default_os: Os::Alpine,
        ports: &[80, 443],
        user: Some("pgadmin"),
        first_start: &["PGADMIN_DEFAULT_PASSWORD", "PGADMIN_DEFAULT_EMAIL"],
        data: &["/var/lib/pgadmin"],
        ..NONE
    },
    KnownImage {
        names: &["mongo-express"],
        role: Role::Administration,
        default_os: Os::Alpine,
        ports: &[8081],
        programs: &["node"],
        ..NONE
    },
    KnownImage {
        names: &["rediscommander/redis-commander"],
        role: Role::Administration,
        default_os: Os::Alpine,
        ports: &[8081],
        open: true,
        ..NONE
    },
    KnownImage {
        names: &["portainer/portainer-ce", "portainer/portainer", "portainer/portainer-ee"],
        role: Role::Administration,
        default_os: Os::Scratch,
        ports: &[9000, 9443, 8000],
        data: &["/data"],
        ..NONE
    },
    KnownImage {
        names: &["containrrr/watchtower", "nickfedor/watchtower"],
        role: Role::Administration,
        default_os: Os::Scratch,
        ..NONE
    },
    KnownImage {
        names: &["docker"],
        role: Role::Administration,
        default_os: Os::Alpine,
        programs: &["docker", "dockerd"],
        ..NONE
    },
    KnownImage {
        names: &["wordpress"],
        role: Role::Application,
        default_os: Os::DebianSlim,
        ports: &[80],
        data: &["/var/www/html"],
        programs: &["php", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["nextcloud"],
        role: Role::Application,
        default_os: Os::DebianSlim,
        ports: &[80],
        first_start: &["NEXTCLOUD_ADMIN_PASSWORD", "NEXTCLOUD_ADMIN_USER"],
        data: &["/var/www/html"],
        programs: &["php", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["gitea/gitea"],
        role: Role::Application,
        default_os: Os::Alpine,
        ports: &[3000, 22],
        data: &["/data"],
        programs: &["git", "bash", "curl", "su-exec"],
        ..NONE
    },
    KnownImage {
        names: &["ollama/ollama"],
        role: Role::Application,
        default_os: Os::Ubuntu,
        ports: &[11434],
        open: true,
        data: &["/root/.ollama"],
        programs: &["ollama"],
        ..NONE
    },
    KnownImage {
        names: &["n8nio/n8n"],
        role: Role::Application,
        default_os: Os::Alpine,
        ports: &[5678],
        user: Some("node"),
        data: &["/home/node/.n8n"],
        programs: &["node", "npm", "n8n", "tini"],
        ..NONE
    },
];
