//! The keys of the Compose specification (<https://github.com/compose-spec/compose-spec>) with what they hold.

use super::Shape::{self, *};

const TEXTS: Shape = List(&Text);
const TEXT_SET: Shape = Set(&Text);
const TEXT_OR_TEXTS: Shape = Either(&[Text, TEXT_SET]);
const SCALAR: Shape = Nullable(&Either(&[Text, Number, Boolean]));
/// A mapping or a list of `KEY=value`.
const KEY_VALUES: Shape = Either(&[Map(&SCALAR), TEXT_SET]);
const OPTIONS: Shape = Map(&TextOrNumber);
const COMMAND: Shape = Nullable(&Either(&[Text, TEXTS]));
const HOSTS: Shape = Either(&[Map(&Either(&[Text, TEXTS])), TEXT_SET]);
const EXTERNAL: Shape = Either(&[Boolean, Object(&[("name", Text)])]);
const ULIMITS: Shape =
    Map(&Either(&[Integer, Record(&["soft", "hard"], &[("soft", Integer), ("hard", Integer)])]));

const FILE_MOUNTS: Shape = List(&Either(&[
    Text,
    Object(&[("source", Text), ("target", Text), ("uid", Text), ("gid", Text), ("mode", Number)]),
]));

pub(super) const FILE: Shape = Object(&[
    ("version", TextOrNumber),
    ("name", Text),
    (
        "include",
        List(&Either(&[
            Text,
            Object(&[("path", TEXT_OR_TEXTS), ("env_file", TEXT_OR_TEXTS), ("project_directory", Text)]),
        ])),
    ),
    ("services", Named(&Object(SERVICE))),
    ("networks", Named(&Nullable(&Object(NETWORK)))),
    ("volumes", Named(&Nullable(&Object(VOLUME)))),
    ("secrets", Named(&Object(SECRET))),
    ("configs", Named(&Object(CONFIG))),
    ("models", Named(&Anything)),
]);

const NETWORK: &[(&str, Shape)] = &[
    ("name", Text),
    ("driver", Text),
    ("driver_opts", OPTIONS),
    (
        "ipam",
        Object(&[
            ("driver", Text),
            (
                "config",
                List(&Object(&[
                    ("subnet", Text),
                    ("ip_range", Text),
                    ("gateway", Text),
                    ("aux_addresses", Map(&Text)),
                ])),
            ),
            ("options", Map(&Text)),
        ]),
    ),
    ("external", EXTERNAL),
    ("internal", Boolean),
    ("enable_ipv4", Boolean),
    ("enable_ipv6", Boolean),
    ("attachable", Boolean),
    ("labels", KEY_VALUES),
];

const VOLUME: &[(&str, Shape)] = &[
    ("name", Text),
    ("driver", Text),
    ("driver_opts", OPTIONS),
    ("external", EXTERNAL),
    ("labels", KEY_VALUES),
];

const SECRET: &[(&str, Shape)] = &[
    ("name", Text),
    ("environment", Text),
    ("file", Text),
    ("external", EXTERNAL),
    ("labels", KEY_VALUES),
    ("driver", Text),
    ("driver_opts", OPTIONS),
    ("template_driver", Text),
];

const CONFIG: &[(&str, Shape)] = &[
    ("name", Text),
    ("content", Text),
    ("environment", Text),
    ("file", Text),
    ("external", EXTERNAL),
    ("labels", KEY_VALUES),
    ("template_driver", Text),
];

const BUILD: Shape = Object(&[
    ("context", Text),
    ("dockerfile", Text),
    ("dockerfile_inline", Text),
    ("entitlements", TEXTS),
    ("args", KEY_VALUES),
    ("ssh", KEY_VALUES),
    ("labels", KEY_VALUES),
    ("cache_from", TEXTS),
    ("cache_to", TEXTS),
    ("no_cache", Boolean),
    ("no_cache_filter", TEXT_OR_TEXTS),
    ("additional_contexts", KEY_VALUES),
    ("network", Text),
    ("provenance", Either(&[Text, Boolean])),
    ("sbom", Either(&[Text, Boolean])),
    ("pull", Boolean),
    ("target", Text),
    ("shm_size", TextOrNumber),
    ("extra_hosts", HOSTS),
    ("isolation", Text),
    ("privileged", Boolean),
    ("secrets", FILE_MOUNTS),
    ("tags", TEXTS),
    ("ulimits", ULIMITS),
    ("platforms", TEXTS),
]);

const HOOKS: Shape = List(&Object(HOOK));

const HOOK: &[(&str, Shape)] = &[
    ("command", COMMAND),
    ("user", Text),
    ("privileged", Boolean),
    ("working_dir", Text),
    ("environment", KEY_VALUES),
];

const DEVICE_REQUEST: &[(&str, Shape)] = &[
    ("capabilities", TEXT_SET),
    ("count", Either(&[Text, Integer])),
    ("device_ids", TEXT_SET),
    ("driver", Text),
    ("options", KEY_VALUES),
];

const RATES: Shape = List(&Object(&[("path", Text), ("rate", TextOrNumber)]));

const UPDATE: Shape = Object(&[
    ("parallelism", Integer),
    ("delay", Duration),
    ("failure_action", Text),
    ("monitor", Duration),
    ("max_failure_ratio", Number),
    ("order", Word(&["start-first", "stop-first"])),
]);

const DEPLOY: Shape = Nullable(&Object(&[
    ("mode", Text),
    ("endpoint_mode", Text),
    ("replicas", Integer),
    ("labels", KEY_VALUES),
    ("rollback_config", UPDATE),
    ("update_config", UPDATE),
    (
        "resources",
        Object(&[
            ("limits", Object(&[("cpus", TextOrNumber), ("memory", Text), ("pids", Integer)])),
            (
                "reservations",
                Object(&[
                    ("cpus", TextOrNumber),
                    ("memory", Text),
                    (
                        "generic_resources",
                        List(&Object(&[(
                            "discrete_resource_spec",
                            Object(&[("kind", Text), ("value", TextOrNumber)]),
                        )])),
                    ),
                    ("devices", List(&Record(&["capabilities"], DEVICE_REQUEST))),
                ]),
            ),
        ]),
    ),
    (
        "restart_policy",
        Object(&[("condition", Text), ("delay", Duration), ("max_attempts", Integer), ("window", Duration)]),
    ),
    (
        "placement",
        Object(&[
            ("constraints", TEXTS),
            ("preferences", List(&Object(&[("spread", Text)]))),
            ("max_replicas_per_node", Integer),
        ]),
    ),
]));

const DEVELOP: Shape = Nullable(&Object(&[(
    "watch",
    List(&Record(
        &["path", "action"],
        &[
            ("ignore", TEXT_OR_TEXTS),
            ("include", TEXT_OR_TEXTS),
            ("path", Text),
            ("action", Word(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
            ("target", Text),
            ("exec", Object(HOOK)),
            ("initial_sync", Boolean),
        ],
    )),
)]));

const HEALTHCHECK: Shape = Object(&[
    ("disable", Boolean),
    ("interval", Duration),
    ("retries", Number),
    ("test", Either(&[Text, TEXTS])),
    ("timeout", Duration),
    ("start_period", Duration),
    ("start_interval", Duration),
]);

const PORT: Shape = Either(&[
    TextOrNumber,
    Object(&[
        ("name", Text),
        ("mode", Text),
        ("host_ip", Text),
        ("target", Integer),
        ("published", Either(&[Text, Integer])),
        ("protocol", Text),
        ("app_protocol", Text),
    ]),
]);

const MOUNT: Shape = Either(&[
    Text,
    Record(
        &["type"],
        &[
            ("type", Word(&["bind", "volume", "tmpfs", "npipe", "cluster", "image"])),
            ("source", Text),
            ("target", Text),
            ("read_only", Boolean),
            ("consistency", Text),
            (
                "bind",
                Object(&[
                    ("propagation", Text),
                    ("create_host_path", Boolean),
                    ("recursive", Word(&["enabled", "disabled", "writable", "readonly"])),
                    ("selinux", Word(&["z", "Z"])),
                ]),
            ),
            ("volume", Object(&[("labels", KEY_VALUES), ("nocopy", Boolean), ("subpath", Text)])),
            ("tmpfs", Object(&[("size", Either(&[Integer, Text])), ("mode", Number)])),
            ("image", Object(&[("subpath", Text)])),
        ],
    ),
]);

const SERVICE_NETWORK: Shape = Nullable(&Object(&[
    ("aliases", TEXT_SET),
    ("interface_name", Text),
    ("ipv4_address", Text),
    ("ipv6_address", Text),
    ("link_local_ips", TEXT_SET),
    ("mac_address", Text),
    ("driver_opts", OPTIONS),
    ("priority", Number),
    ("gw_priority", Number),
]));

const DEPENDS_ON: Shape = Either(&[
    TEXT_SET,
    Named(&Record(
        &["condition"],
        &[
            ("restart", Boolean),
            ("required", Boolean),
            ("condition", Word(&["service_started", "service_healthy", "service_completed_successfully"])),
        ],
    )),
]);

const ENV_FILE: Shape = Either(&[
    Text,
    List(&Either(&[Text, Record(&["path"], &[("path", Text), ("format", Text), ("required", Boolean)])])),
]);

pub(super) const SERVICE: &[(&str, Shape)] = &[
    ("annotations", KEY_VALUES),
    ("attach", Boolean),
    (
        "blkio_config",
        Object(&[
            ("device_read_bps", RATES),
            ("device_read_iops", RATES),
            ("device_write_bps", RATES),
            ("device_write_iops", RATES),
            ("weight", Integer),
            ("weight_device", List(&Object(&[("path", Text), ("weight", Integer)]))),
        ]),
    ),
    ("build", Either(&[Text, BUILD])),
    ("cap_add", TEXT_SET),
    ("cap_drop", TEXT_SET),
    ("cgroup", Word(&["host", "private"])),
    ("cgroup_parent", Text),
    ("command", COMMAND),
    ("configs", FILE_MOUNTS),
    ("container_name", Text),
    ("cpu_count", Integer),
    ("cpu_percent", Number),
    ("cpu_period", TextOrNumber),
    ("cpu_quota", TextOrNumber),
    ("cpu_rt_period", TextOrNumber),
    ("cpu_rt_runtime", TextOrNumber),
    ("cpu_shares", TextOrNumber),
    ("cpus", TextOrNumber),
    ("cpuset", Text),
    ("credential_spec", Object(&[("config", Text), ("file", Text), ("registry", Text)])),
    ("depends_on", DEPENDS_ON),
    ("deploy", DEPLOY),
    ("develop", DEVELOP),
    ("device_cgroup_rules", TEXT_SET),
    (
        "devices",
        List(&Either(&[
            Text,
            Record(&["source"], &[("source", Text), ("target", Text), ("permissions", Text)]),
        ])),
    ),
    ("dns", TEXT_OR_TEXTS),
    ("dns_opt", TEXT_SET),
    ("dns_search", TEXT_OR_TEXTS),
    ("domainname", Text),
    ("entrypoint", COMMAND),
    ("env_file", ENV_FILE),
    ("environment", KEY_VALUES),
    ("expose", Set(&TextOrNumber)),
    ("extends", Either(&[Text, Record(&["service"], &[("service", Text), ("file", Text)])])),
    ("external_links", TEXT_SET),
    ("extra_hosts", HOSTS),
    ("gpus", Either(&[Text, List(&Object(DEVICE_REQUEST))])),
    ("group_add", Set(&TextOrNumber)),
    ("healthcheck", HEALTHCHECK),
    ("hostname", Text),
    ("image", Text),
    ("init", Boolean),
    ("ipc", Text),
    ("isolation", Text),
    ("label_file", Either(&[Text, TEXTS])),
    ("labels", KEY_VALUES),
    ("links", TEXT_SET),
    ("logging", Object(&[("driver", Text), ("options", Map(&Nullable(&TextOrNumber)))])),
    ("mac_address", Text),
    ("mem_limit", TextOrNumber),
    ("mem_reservation", TextOrNumber),
    ("mem_swappiness", Integer),
    ("memswap_limit", TextOrNumber),
    ("models", Anything),
    ("network_mode", Text),
    ("networks", Either(&[TEXT_SET, Named(&SERVICE_NETWORK)])),
    ("oom_kill_disable", Boolean),
    ("oom_score_adj", Integer),
    ("pid", Nullable(&Text)),
    ("pids_limit", TextOrNumber),
    ("platform", Text),
    ("ports", Set(&PORT)),
    ("post_start", HOOKS),
    ("pre_stop", HOOKS),
    ("privileged", Boolean),
    ("profiles", TEXT_SET),
    ("provider", Anything),
    ("pull_policy", Text),
    ("pull_refresh_after", Text),
    ("read_only", Boolean),
    ("restart", Text),
    ("runtime", Text),
    ("scale", Integer),
    ("secrets", FILE_MOUNTS),
    ("security_opt", TEXT_SET),
    ("shm_size", TextOrNumber),
    ("stdin_open", Boolean),
    ("stop_grace_period", Duration),
    ("stop_signal", Text),
    ("storage_opt", Map(&Anything)),
    ("sysctls", KEY_VALUES),
    ("tmpfs", TEXT_OR_TEXTS),
    ("tty", Boolean),
    ("ulimits", ULIMITS),
    ("use_api_socket", Boolean),
    ("user", Text),
    ("userns_mode", Text),
    ("uts", Text),
    ("volumes", Set(&MOUNT)),
    ("volumes_from", TEXT_SET),
    ("working_dir", Text),
];
