//! What the file may say, and what it is told when it says something else.

use std::net::IpAddr;
use std::time::Duration;

use camino::Utf8Path;
use plimsoll_config::{
    Address, Alphabet, Build, Bytes, Check, CloneKind, Config, FILE_NAME, Generate, Guest, OnFailure, Origin,
    Rotate, Rotation, parse,
};

fn read(text: &str) -> Result<Config, String> {
    parse(Utf8Path::new(FILE_NAME), text).map_err(|errors| errors.to_string())
}

fn wrong(text: &str) -> String {
    read(text).err().unwrap_or_default()
}

const FULL: &str = include_str!("full.yaml");

#[test]
fn a_full_file_is_read_whole() {
    let config = read(FULL).unwrap();
    assert_eq!((config.app.as_str(), config.compose.len()), ("papertrade", 2));
    let production = &config.targets["production"];
    assert_eq!(production.proxmox.as_ref().unwrap().url, "https://pve.lan:8006");
    let Guest::Vm(guest) = &production.guest else { panic!("{:?}", production.guest) };
    assert_eq!((guest.memory, guest.disk, guest.cores), (Bytes(4 << 30), Bytes(20 << 30), 2));
    assert_eq!(guest.network.address, Address::Fixed { ip: IpAddr::from([192, 168, 1, 50]), prefix: 24 });
    assert_eq!(guest.network.vlan, Some(20));
    let [Check::Http { url, expect: 204, contains: Some(_), .. }, Check::Tcp { .. }, Check::Command { .. }] =
        production.checks.as_slice()
    else {
        panic!("{:?}", production.checks)
    };
    assert_eq!(url.render("10.0.0.5"), "http://10.0.0.5:8080/health");
    assert_eq!(production.before_release[0].run, "alembic upgrade head");
    assert_eq!((production.build, production.on_failure), (Build::Guest, OnFailure::RestoreData));
    assert_eq!(
        (production.watch, production.deadline, production.keep),
        (Duration::from_secs(60), Duration::from_secs(600), 7)
    );
    let backup = production.backup.as_ref().unwrap();
    assert_eq!((backup.keep.weekly, backup.schedule.as_deref()), (4, Some("daily")));
    let password = &config.secrets["POSTGRES_PASSWORD"];
    assert_eq!(password.origin, Origin::Generate(Generate { length: 40, alphabet: Alphabet::Hex }));
    assert_eq!(password.rotate, Some(Rotation { server: Rotate::Postgres, service: None, user: None }));
    assert_eq!(config.secrets["API_KEY"].origin, Origin::Env("OTHER_KEY".to_owned()));
    assert_eq!(config.secrets["LICENCE"].origin, Origin::File("secrets/licence.key".into()));
    assert_eq!(config.secrets["TOKEN"].origin, Origin::Command("op read op://vault/item".to_owned()));
    let manual = &config.secrets["MANUAL"];
    assert_eq!(manual.origin, Origin::Store);
    let (service, user) = (Some("db".to_owned()), Some("app".to_owned()));
    assert_eq!(manual.rotate, Some(Rotation { server: Rotate::Mysql, service, user }));
}

#[test]
fn an_adopted_guest_needs_nothing_of_a_node() {
    let config = read(
        "app: shop\ntargets:\n  lab:\n    guest: {kind: adopt, address: 10.0.0.5, user: deploy, port: 2222, host_key: ssh-ed25519 AAAAC3Nz}\n",
    )
    .unwrap();
    let Guest::Adopt(guest) = &config.targets["lab"].guest else { panic!() };
    assert_eq!((guest.address.as_str(), guest.user.as_str(), guest.port), ("10.0.0.5", "deploy", 2222));
    assert_eq!(guest.host_key.as_deref(), Some("ssh-ed25519 AAAAC3Nz"));
    assert_eq!(config.compose, ["docker-compose.yml"]);
}

#[test]
fn every_error_has_its_line_and_column_and_all_come_at_once() {
    let text = "app: Shop\ntarget: {}\ntargets:\n  lab:\n    guest:\n      kind: adopt\n      adress: x\n      port: 0\n    watch: 5 minutes\n";
    assert_eq!(
        wrong(text).lines().collect::<Vec<_>>(),
        [
            "plimsoll.yaml:1:6: `app` is a name of lowercase letters, digits and `-`, at most 63 characters",
            "plimsoll.yaml:2:1: unknown key `target` in `plimsoll.yaml`; did you mean `targets`?",
            "plimsoll.yaml:6:7: `address` is missing in `guest`",
            "plimsoll.yaml:7:7: unknown key `adress` in `guest`; did you mean `address`?",
            "plimsoll.yaml:8:13: `port` is a whole number from 1 to 65535",
            "plimsoll.yaml:9:12: `watch` is a time such as `90s`, `5m` or `1h30m`",
        ]
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_could_be() {
    let target = |body: &str| wrong(&format!("app: a\ntargets:\n  t: {body}\n"));
    let vm = |more: &str| {
        target(&format!(
            "{{proxmox: {{url: https://n:8006, node: n}}, guest: {{kind: vm, memory: 1GiB, disk: 9GiB, storage: s, {more}}}}}"
        ))
    };
    for (said, expected) in [
        (wrong(""), "1:1: the file says nothing; `plimsoll init` writes one"),
        (wrong("- a\n"), "1:1: `plimsoll.yaml` is a mapping of `app`"),
        (wrong("app: a\napp: b\ntargets: {}\n"), ":2:1:"),
        (wrong("app: a\ntargets: {}\n"), "2:10: `targets` needs at least one target"),
        (wrong("app: a\ntargets: {t: {guest: {kind: adopt, address: h}}}\n---\nb: c\n"), "a second document"),
        (target("{guest: {kind: vmm, address: h}}"), "did you mean `vm`?"),
        (
            target("{guest: {kind: lxc, memory: 1GiB, disk: 1GiB, storage: s, network: {}}}"),
            "a guest of kind `lxc` needs `proxmox` in target `t`",
        ),
        (target("{guest: {kind: adopt, address: h, id: 100}}"), "`id` needs `proxmox`"),
        (
            target("{guest: {kind: adopt, address: '-oProxyCommand=x'}}"),
            "`address` is a host name or an IP address",
        ),
        (
            target("{guest: {kind: adopt, address: h}, checks: [{http: 'http://{guset}/'}]}"),
            "`{guset}` is not known, only `{guest}` is",
        ),
        (target("{guest: {kind: adopt, address: h}, checks: [{htpp: 'http://x/'}]}"), "did you mean `http`?"),
        (
            target("{guest: {kind: adopt, address: h}, checks: [{http: 'http://x/', tcp: 'x:1'}]}"),
            "more than one of",
        ),
        (target("{guest: {kind: adopt, address: h}, backup: {storage: s}}"), "`backup` needs `proxmox`"),
        (vm("network: {address: 10.0.0.5/24}"), "a fixed `address` needs a `gateway`"),
        (
            vm("network: {gateway: 10.0.0.1}"),
            "`gateway` comes from the network with `address: dhcp`; remove it",
        ),
        (
            vm("network: {address: 10.0.0.5/24, gateway: 'fe80::1'}"),
            "`gateway` is not of the family of `address`",
        ),
        (vm("network: {}, swap: 1GB"), "unknown key `swap`"),
        (
            target("{proxmox: {url: 'https://n:8006/api2', node: n}, guest: {kind: adopt, address: h}}"),
            "without a path",
        ),
        (
            wrong("app: a\ntargets: {t: {guest: {kind: adopt, address: h}}}\nsecrets: {K: {from: file}}\n"),
            "`from: file` needs `path`",
        ),
        (
            wrong(
                "app: a\ntargets: {t: {guest: {kind: adopt, address: h}}}\nsecrets: {K: {from: env, run: x}}\n",
            ),
            "`run` means nothing with `from: env`",
        ),
        (
            wrong("app: a\ntargets: {t: {guest: {kind: adopt, address: h}}}\nsecrets: {K: hunter2}\n"),
            "`K` is a mapping with one of `generate`, `from`",
        ),
        (
            wrong(
                "app: a\ntargets: {t: {guest: {kind: adopt, address: h}}}\nrecipients: [AGE-SECRET-KEY-1X]\n",
            ),
            "`recipients` is a recipient",
        ),
    ] {
        assert!(said.contains(expected), "expected: {expected}\nsaid: {said}");
    }
    let said = target(
        "{proxmox: {url: https://n:8006, node: n}, guest: {memory: 4GB, disk: 1GiB, storage: s, network: {}}}",
    );
    assert!(said.contains("did you mean `4GiB`?"), "{said}");
}

#[test]
fn a_value_that_was_written_by_mistake_is_not_repeated() {
    let said = wrong(
        "app: a\ntargets: {t: {guest: {kind: adopt, address: h}}}\nsecrets: {K: hunter2, L: {generate: hunter2}}\n",
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn anchors_and_merge_keys_share_settings_between_targets() {
    let config = read(
        "x-guest: &guest {kind: adopt, user: deploy, port: 2222}\napp: a\ntargets:\n  one: {guest: {<<: *guest, address: h1}}\n  two: {guest: {<<: *guest, address: h2, port: 22}}\n",
    )
    .unwrap();
    let port = |name: &str| match &config.targets[name].guest {
        Guest::Adopt(guest) => guest.port,
        _ => 0,
    };
    assert_eq!((port("one"), port("two")), (2222, 22));
}

#[test]
fn what_is_made_inside_once_is_cloned_and_a_job_is_only_asked_for() {
    let guest = |kind: &str| {
        format!(
            "app: shop\ntargets:\n  lab:\n    proxmox: {{url: \"https://pve.lan:8006\", node: pve1}}\n    guest: {{kind: {kind}, \
             memory: 1GiB, disk: 8GiB, storage: thin, network: {{address: dhcp}}, clone: linked}}\n    backup: {{storage: nas}}\n"
        )
    };
    let config = read(&guest("lxc")).unwrap();
    let Guest::Lxc(lxc) = &config.targets["lab"].guest else { panic!("{config:?}") };
    assert_eq!(lxc.clone, Some(CloneKind::Linked));
    assert_eq!(config.targets["lab"].backup.as_ref().unwrap().schedule, None);
    let config = read(&guest("vm")).unwrap();
    let Guest::Vm(vm) = &config.targets["lab"].guest else { panic!("{config:?}") };
    assert_eq!(vm.clone, Some(CloneKind::Linked));
    assert!(wrong(&guest("oci")).contains("a native container is no clone"), "{}", wrong(&guest("oci")));
    assert!(wrong(&guest("lxc").replace("linked", "shallow")).contains("`clone` is one of `linked`, `full`"));
}
