//! Endpoints, by area.

mod access;
mod agent;
mod backup;
mod cluster;
mod config;
mod copy;
mod create;
pub(crate) mod digest;
mod firewall;
mod firewall_sets;
mod groups;
mod ha;
mod migrate;
mod node;
mod permit;
mod power;
mod relocate;
mod snapshot;
mod storage;
mod tasks;
mod volumes;

pub(crate) use access::csrf;
pub(crate) use firewall_sets::Sets;
pub(crate) use permit::permit;

use crate::cx::Cx;
use crate::guest::Kind::{Lxc, Qemu};
use crate::reply::Answer;

type Handler = fn(&mut Cx<'_>) -> Answer;

/// Everything that the lab answers. `contract/endpoints.txt` lists the same.
pub(crate) const ROUTES: &[(&str, &str, Handler)] = &[
    ("GET", "/version", node::version),
    ("POST", "/access/ticket", access::login),
    ("GET", "/access/permissions", access::permissions),
    ("GET", "/access/acl", access::acl),
    ("PUT", "/access/acl", access::update_acl),
    ("GET", "/access/roles", access::roles),
    ("POST", "/access/roles", access::create_role),
    ("GET", "/access/roles/{roleid}", access::role),
    ("PUT", "/access/roles/{roleid}", access::update_role),
    ("DELETE", "/access/roles/{roleid}", access::delete_role),
    ("GET", "/access/users", access::users),
    ("POST", "/access/users", access::create_user),
    ("GET", "/access/users/{userid}", access::user),
    ("DELETE", "/access/users/{userid}", access::delete_user),
    ("GET", "/access/users/{userid}/token", access::tokens),
    ("GET", "/access/users/{userid}/token/{tokenid}", access::token),
    ("POST", "/access/users/{userid}/token/{tokenid}", access::create_token),
    ("DELETE", "/access/users/{userid}/token/{tokenid}", access::delete_token),
    ("GET", "/cluster/nextid", cluster::nextid),
    ("GET", "/cluster/resources", cluster::resources),
    ("GET", "/cluster/status", cluster::status),
    ("GET", "/cluster/tasks", tasks::cluster),
    ("GET", "/cluster/options", cluster::options),
    ("GET", "/cluster/backup", backup::jobs),
    ("POST", "/cluster/backup", backup::create_job),
    ("DELETE", "/cluster/backup/{id}", backup::delete_job),
    ("GET", "/cluster/backup-info/not-backed-up", backup::not_backed_up),
    ("GET", "/cluster/ha/resources", cluster::ha),
    ("POST", "/cluster/ha/resources", cluster::create_ha),
    ("DELETE", "/cluster/ha/resources/{sid}", cluster::delete_ha),
    ("GET", "/cluster/ha/status/current", cluster::ha_status),
    ("GET", "/cluster/replication", cluster::replication),
    ("POST", "/cluster/replication", cluster::create_replication),
    ("DELETE", "/cluster/replication/{id}", cluster::delete_replication),
    ("GET", "/cluster/firewall/options", firewall::cluster_options),
    ("PUT", "/cluster/firewall/options", firewall::update_cluster_options),
    ("GET", "/nodes", node::nodes),
    ("GET", "/nodes/{node}/status", node::status),
    ("GET", "/nodes/{node}/version", node::version),
    ("GET", "/nodes/{node}/time", node::time),
    ("GET", "/nodes/{node}/network", node::network),
    ("GET", "/nodes/{node}/certificates/info", node::certificates),
    ("GET", "/nodes/{node}/aplinfo", node::appliances),
    ("POST", "/nodes/{node}/aplinfo", volumes::download_appliance),
    ("GET", "/nodes/{node}/query-url-metadata", volumes::query_url),
    ("GET", "/nodes/{node}/tasks", tasks::list),
    ("GET", "/nodes/{node}/tasks/{upid}/status", tasks::status),
    ("GET", "/nodes/{node}/tasks/{upid}/log", tasks::log),
    ("DELETE", "/nodes/{node}/tasks/{upid}", tasks::stop),
    ("POST", "/nodes/{node}/execute", node::execute),
    ("POST", "/nodes/{node}/vzdump", backup::vzdump),
    ("GET", "/nodes/{node}/vzdump/extractconfig", backup::extract_config),
    ("GET", "/nodes/{node}/storage", storage::list),
    ("GET", "/nodes/{node}/storage/{storage}/status", storage::status),
    ("GET", "/nodes/{node}/storage/{storage}/content", volumes::content),
    ("GET", "/nodes/{node}/storage/{storage}/content/{volume}", volumes::volume),
    ("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}", volumes::delete),
    ("POST", "/nodes/{node}/storage/{storage}/upload", volumes::upload),
    ("POST", "/nodes/{node}/storage/{storage}/download-url", volumes::download),
    ("POST", "/nodes/{node}/storage/{storage}/oci-registry-pull", volumes::oci_pull),
    ("GET", "/storage", storage::configs),
    ("POST", "/storage", storage::create),
    ("GET", "/storage/{storage}", storage::config),
    ("PUT", "/storage/{storage}", storage::update),
    ("DELETE", "/storage/{storage}", storage::delete),
    ("GET", "/pools", cluster::pools),
    ("POST", "/pools", cluster::create_pool),
    ("PUT", "/pools", cluster::update_pool),
    ("DELETE", "/pools", cluster::delete_pool),
    ("GET", "/nodes/{node}/lxc", |cx| power::list(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc", create::lxc),
    ("DELETE", "/nodes/{node}/lxc/{vmid}", |cx| create::destroy(cx, Lxc)),
    ("GET", "/nodes/{node}/lxc/{vmid}/config", |cx| config::get(cx, Lxc)),
    ("PUT", "/nodes/{node}/lxc/{vmid}/config", config::put_lxc),
    ("GET", "/nodes/{node}/lxc/{vmid}/pending", |cx| config::pending(cx, Lxc)),
    ("GET", "/nodes/{node}/lxc/{vmid}/status/current", |cx| power::status(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/start", |cx| power::start(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/stop", |cx| power::stop(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/shutdown", |cx| power::shutdown(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/reboot", |cx| power::reboot(cx, Lxc)),
    ("PUT", "/nodes/{node}/lxc/{vmid}/resize", |cx| config::resize(cx, Lxc)),
    ("GET", "/nodes/{node}/lxc/{vmid}/feature", |cx| snapshot::feature(cx, Lxc)),
    ("GET", "/nodes/{node}/lxc/{vmid}/snapshot", |cx| snapshot::list(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot", |cx| snapshot::create(cx, Lxc)),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", |cx| snapshot::delete(cx, Lxc)),
    ("GET", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", |cx| snapshot::config(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", |cx| snapshot::rollback(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/clone", |cx| copy::clone(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/template", |cx| copy::template(cx, Lxc)),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/options", |cx| firewall::options(cx, Lxc)),
    ("PUT", "/nodes/{node}/lxc/{vmid}/firewall/options", |cx| firewall::update_options(cx, Lxc)),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/rules", |cx| firewall::rules(cx, Some(Lxc))),
    ("POST", "/nodes/{node}/lxc/{vmid}/firewall/rules", |cx| firewall::create_rule(cx, Some(Lxc))),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/firewall/rules/{pos}", |cx| firewall::delete_rule(cx, Some(Lxc))),
    ("GET", "/nodes/{node}/qemu", |cx| power::list(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu", create::qemu),
    ("DELETE", "/nodes/{node}/qemu/{vmid}", |cx| create::destroy(cx, Qemu)),
    ("GET", "/nodes/{node}/qemu/{vmid}/config", |cx| config::get(cx, Qemu)),
    ("PUT", "/nodes/{node}/qemu/{vmid}/config", config::put_qemu),
    ("POST", "/nodes/{node}/qemu/{vmid}/config", config::post_qemu),
    ("GET", "/nodes/{node}/qemu/{vmid}/pending", |cx| config::pending(cx, Qemu)),
    ("GET", "/nodes/{node}/qemu/{vmid}/status/current", |cx| power::status(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/status/start", |cx| power::start(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/status/stop", |cx| power::stop(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/status/shutdown", |cx| power::shutdown(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/status/reboot", |cx| power::reboot(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/status/reset", power::reset),
    ("PUT", "/nodes/{node}/qemu/{vmid}/resize", |cx| config::resize(cx, Qemu)),
    ("GET", "/nodes/{node}/qemu/{vmid}/feature", |cx| snapshot::feature(cx, Qemu)),
    ("GET", "/nodes/{node}/qemu/{vmid}/snapshot", |cx| snapshot::list(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/snapshot", |cx| snapshot::create(cx, Qemu)),
    ("DELETE", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}", |cx| snapshot::delete(cx, Qemu)),
    ("GET", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config", |cx| snapshot::config(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback", |cx| snapshot::rollback(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/clone", |cx| copy::clone(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/template", |cx| copy::template(cx, Qemu)),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/options", |cx| firewall::options(cx, Qemu)),
    ("PUT", "/nodes/{node}/qemu/{vmid}/firewall/options", |cx| firewall::update_options(cx, Qemu)),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/rules", |cx| firewall::rules(cx, Some(Qemu))),
    ("POST", "/nodes/{node}/qemu/{vmid}/firewall/rules", |cx| firewall::create_rule(cx, Some(Qemu))),
    ("DELETE", "/nodes/{node}/qemu/{vmid}/firewall/rules/{pos}", |cx| firewall::delete_rule(cx, Some(Qemu))),
    ("GET", "/nodes/{node}/lxc/{vmid}/interfaces", power::interfaces),
    ("GET", "/nodes/{node}/qemu/{vmid}/cloudinit", agent::cloudinit),
    ("PUT", "/nodes/{node}/qemu/{vmid}/cloudinit", agent::regenerate),
    ("GET", "/nodes/{node}/qemu/{vmid}/cloudinit/dump", agent::dump),
    ("POST", "/nodes/{node}/qemu/{vmid}/agent/ping", agent::ping),
    ("POST", "/nodes/{node}/qemu/{vmid}/agent/fsfreeze-freeze", agent::fsfreeze_freeze),
    ("POST", "/nodes/{node}/qemu/{vmid}/agent/fsfreeze-status", agent::fsfreeze_status),
    ("POST", "/nodes/{node}/qemu/{vmid}/agent/fsfreeze-thaw", agent::fsfreeze_thaw),
    ("GET", "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces", agent::interfaces),
    ("GET", "/nodes/{node}/qemu/{vmid}/agent/get-osinfo", agent::os_info),
    ("POST", "/nodes/{node}/qemu/{vmid}/agent/exec", agent::exec),
    ("GET", "/nodes/{node}/qemu/{vmid}/agent/exec-status", agent::exec_status),
    ("POST", "/nodes/{node}/qemu/{vmid}/agent/file-write", agent::file_write),
    ("GET", "/nodes/{node}/qemu/{vmid}/agent/file-read", agent::file_read),
    ("PUT", "/access/users/{userid}", groups::update_user),
    ("PUT", "/access/users/{userid}/token/{tokenid}", access::update_token),
    ("GET", "/access/domains", groups::realms),
    ("GET", "/access/groups", groups::list),
    ("POST", "/access/groups", groups::create),
    ("GET", "/access/groups/{groupid}", groups::get),
    ("PUT", "/access/groups/{groupid}", groups::update),
    ("DELETE", "/access/groups/{groupid}", groups::delete),
    ("GET", "/cluster/backup/{id}", backup::job),
    ("PUT", "/cluster/backup/{id}", backup::update_job),
    ("GET", "/cluster/ha/resources/{sid}", ha::resource),
    ("PUT", "/cluster/ha/resources/{sid}", ha::update_resource),
    ("GET", "/cluster/ha/rules", ha::rules),
    ("POST", "/cluster/ha/rules", ha::create_rule),
    ("GET", "/cluster/ha/rules/{rule}", ha::rule),
    ("PUT", "/cluster/ha/rules/{rule}", ha::update_rule),
    ("DELETE", "/cluster/ha/rules/{rule}", ha::delete_rule),
    ("GET", "/cluster/firewall/rules", |cx| firewall::rules(cx, None)),
    ("POST", "/cluster/firewall/rules", |cx| firewall::create_rule(cx, None)),
    ("DELETE", "/cluster/firewall/rules/{pos}", |cx| firewall::delete_rule(cx, None)),
    ("GET", "/cluster/firewall/rules/{pos}", |cx| firewall::rule(cx, None)),
    ("PUT", "/cluster/firewall/rules/{pos}", |cx| firewall::update_rule(cx, None)),
    ("GET", "/cluster/firewall/aliases", |cx| firewall_sets::aliases(cx, None)),
    ("POST", "/cluster/firewall/aliases", |cx| firewall_sets::create_alias(cx, None)),
    ("GET", "/cluster/firewall/aliases/{name}", |cx| firewall_sets::alias(cx, None)),
    ("PUT", "/cluster/firewall/aliases/{name}", |cx| firewall_sets::update_alias(cx, None)),
    ("DELETE", "/cluster/firewall/aliases/{name}", |cx| firewall_sets::delete_alias(cx, None)),
    ("GET", "/cluster/firewall/ipset", |cx| firewall_sets::sets(cx, None)),
    ("POST", "/cluster/firewall/ipset", |cx| firewall_sets::create_set(cx, None)),
    ("DELETE", "/cluster/firewall/ipset/{name}", |cx| firewall_sets::delete_set(cx, None)),
    ("GET", "/cluster/firewall/ipset/{name}", |cx| firewall_sets::members(cx, None)),
    ("POST", "/cluster/firewall/ipset/{name}", |cx| firewall_sets::create_member(cx, None)),
    ("GET", "/cluster/firewall/ipset/{name}/{cidr}", |cx| firewall_sets::member(cx, None)),
    ("DELETE", "/cluster/firewall/ipset/{name}/{cidr}", |cx| firewall_sets::delete_member(cx, None)),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/rules/{pos}", |cx| firewall::rule(cx, Some(Lxc))),
    ("PUT", "/nodes/{node}/lxc/{vmid}/firewall/rules/{pos}", |cx| firewall::update_rule(cx, Some(Lxc))),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/aliases", |cx| firewall_sets::aliases(cx, Some(Lxc))),
    ("POST", "/nodes/{node}/lxc/{vmid}/firewall/aliases", |cx| firewall_sets::create_alias(cx, Some(Lxc))),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/aliases/{name}", |cx| firewall_sets::alias(cx, Some(Lxc))),
    ("PUT", "/nodes/{node}/lxc/{vmid}/firewall/aliases/{name}", |cx| {
        firewall_sets::update_alias(cx, Some(Lxc))
    }),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/firewall/aliases/{name}", |cx| {
        firewall_sets::delete_alias(cx, Some(Lxc))
    }),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/ipset", |cx| firewall_sets::sets(cx, Some(Lxc))),
    ("POST", "/nodes/{node}/lxc/{vmid}/firewall/ipset", |cx| firewall_sets::create_set(cx, Some(Lxc))),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}", |cx| {
        firewall_sets::delete_set(cx, Some(Lxc))
    }),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}", |cx| firewall_sets::members(cx, Some(Lxc))),
    ("POST", "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}", |cx| {
        firewall_sets::create_member(cx, Some(Lxc))
    }),
    ("GET", "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}/{cidr}", |cx| {
        firewall_sets::member(cx, Some(Lxc))
    }),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/firewall/ipset/{name}/{cidr}", |cx| {
        firewall_sets::delete_member(cx, Some(Lxc))
    }),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/rules/{pos}", |cx| firewall::rule(cx, Some(Qemu))),
    ("PUT", "/nodes/{node}/qemu/{vmid}/firewall/rules/{pos}", |cx| firewall::update_rule(cx, Some(Qemu))),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/aliases", |cx| firewall_sets::aliases(cx, Some(Qemu))),
    ("POST", "/nodes/{node}/qemu/{vmid}/firewall/aliases", |cx| firewall_sets::create_alias(cx, Some(Qemu))),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/aliases/{name}", |cx| firewall_sets::alias(cx, Some(Qemu))),
    ("PUT", "/nodes/{node}/qemu/{vmid}/firewall/aliases/{name}", |cx| {
        firewall_sets::update_alias(cx, Some(Qemu))
    }),
    ("DELETE", "/nodes/{node}/qemu/{vmid}/firewall/aliases/{name}", |cx| {
        firewall_sets::delete_alias(cx, Some(Qemu))
    }),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/ipset", |cx| firewall_sets::sets(cx, Some(Qemu))),
    ("POST", "/nodes/{node}/qemu/{vmid}/firewall/ipset", |cx| firewall_sets::create_set(cx, Some(Qemu))),
    ("DELETE", "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}", |cx| {
        firewall_sets::delete_set(cx, Some(Qemu))
    }),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}", |cx| firewall_sets::members(cx, Some(Qemu))),
    ("POST", "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}", |cx| {
        firewall_sets::create_member(cx, Some(Qemu))
    }),
    ("GET", "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}/{cidr}", |cx| {
        firewall_sets::member(cx, Some(Qemu))
    }),
    ("DELETE", "/nodes/{node}/qemu/{vmid}/firewall/ipset/{name}/{cidr}", |cx| {
        firewall_sets::delete_member(cx, Some(Qemu))
    }),
    ("PUT", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", |cx| snapshot::describe(cx, Lxc)),
    ("PUT", "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config", |cx| snapshot::describe(cx, Qemu)),
    ("POST", "/nodes/{node}/lxc/{vmid}/move_volume", |cx| relocate::relocate(cx, Lxc)),
    ("POST", "/nodes/{node}/qemu/{vmid}/move_disk", |cx| relocate::relocate(cx, Qemu)),
    ("GET", "/nodes/{node}/lxc/{vmid}/migrate", |cx| migrate::outlook(cx, Lxc)),
    ("POST", "/nodes/{node}/lxc/{vmid}/migrate", |cx| migrate::migrate(cx, Lxc)),
    ("GET", "/nodes/{node}/qemu/{vmid}/migrate", |cx| migrate::outlook(cx, Qemu)),
    ("POST", "/nodes/{node}/qemu/{vmid}/migrate", |cx| migrate::migrate(cx, Qemu)),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ROUTES;

    #[test]
    fn the_list_of_endpoints_is_what_the_handlers_are() {
        let list = include_str!("../../contract/endpoints.txt");
        let listed: BTreeSet<String> = list
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        let handled: BTreeSet<String> =
            ROUTES.iter().map(|(verb, path, _)| format!("{verb} {path}")).collect();
        assert_eq!(listed, handled);
        assert_eq!(handled.len(), ROUTES.len(), "an endpoint has two handlers");
    }
}
