//! The one table of keys: the reader, the schema and the reference page are made from it.

use crate::shape::Need::{Default, Optional, Required};
use crate::shape::Shape::{
    Choice, Either, Form as F, List, Map, Short, Some as OneOrMore, Table as T, Tagged, Text, Whole,
};
use crate::shape::{Form, Key, Need, Shape, Table};
use crate::{Bytes, Template, parse_duration};

const fn key(name: &'static str, need: Need, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, need, about }
}

fn word(text: &str, more: &str, longest: usize) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    text.len() <= longest && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(known)
}

pub(crate) const NAME: Form = Form {
    what: "a name of lowercase letters, digits and `-`, at most 63 characters",
    pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    holds: |text| {
        word(text, "-", 63) && !text.ends_with('-') && !text.chars().any(|c| c.is_ascii_uppercase())
    },
};
const NODE_WORD: Form = Form {
    what: "a name of letters, digits, `.`, `-` and `_`",
    pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
    holds: |text| word(text, "._-", 100),
};
pub(crate) const VARIABLE: Form = Form {
    what: "a variable's name such as `POSTGRES_PASSWORD`",
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    holds: |text| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    },
};
const SIZE: Form = Form {
    what: "a size with a binary unit such as `512MiB` or `4GiB`",
    pattern: "^[0-9]+ *(KiB|MiB|GiB|TiB)$",
    holds: |text| Bytes::parse(text).is_some_and(|size| size.0 > 0),
};
const TIME: Form = Form {
    what: "a time such as `90s`, `5m` or `1h30m`",
    pattern: "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
    holds: |text| parse_duration(text).is_some(),
};
const PATH: Form = Form {
    what: "a path relative to this file, with `/` between its parts",
    pattern: "^[^/\\\\]",
    holds: |text| !text.is_empty() && !text.starts_with(['/', '\\']) && !text.contains('\0'),
};
const NODE_URL: Form = Form {
    what: "a URL such as `https://pve.lan:8006`, without a path",
    pattern: "^https://[^/@\\s]+/?$",
    holds: |text| {
        text.strip_prefix("https://").is_some_and(|rest| {
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            !rest.is_empty() && !rest.contains(['/', '@', '?', '#']) && !rest.contains(char::is_whitespace)
        })
    },
};
const FINGERPRINT: Form = Form {
    what: "the 32 bytes of a SHA-256 in hexadecimal, `AB:CD:…`",
    pattern: "^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$",
    holds: |text| {
        let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        text.split(':').count() == 32 && text.split(':').all(pair)
    },
};
const IMAGE: Form = Form {
    what: "a volume of the node such as `local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst` or an `https://` URL",
    pattern: "^([A-Za-z][A-Za-z0-9._-]*:(vztmpl|import)/[A-Za-z0-9._+-]+|https://[^\\s]+)$",
    holds: |text| {
        let volume = text.split_once(':').is_some_and(|(storage, rest)| {
            let name = rest.strip_prefix("vztmpl/").or_else(|| rest.strip_prefix("import/"));
            word(storage, "._-", 100) && name.is_some_and(|name| word(name, "._+-", 255))
        });
        let rest = text.strip_prefix("https://");
        volume || rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
    },
};
const CHECKSUM: Form = Form {
    what: "a digest such as `sha512:…` with 128 hexadecimal digits or `sha256:…` with 64",
    pattern: "^(sha512:[0-9a-f]{128}|sha256:[0-9a-f]{64})$",
    holds: |text| {
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
        text.strip_prefix("sha512:").is_some_and(|rest| digits(rest, 128))
            || text.strip_prefix("sha256:").is_some_and(|rest| digits(rest, 64))
    },
};
const ADDRESS: Form = Form {
    what: "`dhcp`, or an address with its prefix such as `192.168.1.50/24`",
    pattern: "^(dhcp|[0-9A-Fa-f.:]+/[0-9]{1,3})$",
    holds: |text| crate::read::address(text).is_some(),
};
const IP: Form = Form {
    what: "an IP address",
    pattern: "^[0-9A-Fa-f.:]+$",
    holds: |text| text.parse::<std::net::IpAddr>().is_ok(),
};
const HOST: Form = Form {
    what: "a host name or an IP address",
    pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]*$",
    holds: |text| word(text, "._:-", 253),
};
const USER: Form = Form {
    what: "an account's name",
    pattern: "^[a-z_][a-z0-9_-]{0,31}$",
    holds: |text| {
        text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
    },
};
const HOST_KEY: Form = Form {
    what: "a host key as `ssh-keyscan` prints it behind the name: `ssh-ed25519 AAAA…`",
    pattern: "^(ssh-|ecdsa-|sk-)[A-Za-z0-9@.-]+ [A-Za-z0-9+/]+=*$",
    holds: ssh_key,
};
const RECIPIENT: Form = Form {
    what: "a recipient: `age1…` or an `ssh-ed25519 AAAA…` key",
    pattern: "^(age1[a-z0-9]+|ssh-ed25519 [A-Za-z0-9+/]+=*( .*)?)$",
    holds: |text| {
        let own = |rest: &str| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        text.strip_prefix("age1").is_some_and(own)
            || text.strip_prefix("ssh-ed25519 ").and_then(|rest| rest.split(' ').next()).is_some_and(base64)
    },
};
const HTTP: Form = Form {
    what: "an `http://` or `https://` URL in which only `{guest}` is filled in",
    pattern: "^https?://",
    holds: |text| {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && Template::unknown(text).is_none()
            && !text.contains(char::is_whitespace)
    },
};
const TCP: Form = Form {
    what: "`host:port`, in which only `{guest}` is filled in",
    pattern: "^.+:[0-9]{1,5}$",
    holds: |text| {
        let parts = text.rsplit_once(':');
        parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
            && Template::unknown(text).is_none()
            && !text.contains(char::is_whitespace)
    },
};
const DAY: Form = Form {
    what: "a day such as `2027-01-31`",
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    holds: |text| text.len() == 10,
};
const CALENDAR: Form = Form {
    what: "a calendar event such as `daily`, `02:30` or `mon..fri 22:00`",
    pattern: "^[A-Za-z0-9*/:., -]+$",
    holds: |text| {
        let known = |c: char| c.is_ascii_alphanumeric() || "*/:., -".contains(c);
        !text.trim().is_empty() && text.len() <= 128 && text.chars().all(known)
    },
};

fn base64(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
}

fn ssh_key(text: &str) -> bool {
    let Some((kind, key)) = text.split_once(' ') else { return false };
    let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|start| kind.starts_with(start));
    known && word(kind, "@.-", 100) && base64(key)
}

pub(crate) const FILE: Table = Table {
    name: "plimsoll.yaml",
    about: "The whole file. Keys that start with `x-` are ignored, for YAML anchors.",
    keys: &[
        key(
            "app",
            Required,
            F(NAME),
            "The app's name. It names the Compose project, the guest and the releases.",
        ),
        key(
            "compose",
            Default("[docker-compose.yml]"),
            OneOrMore(&F(PATH)),
            "Compose files, merged in this order. The first one's folder is the project's.",
        ),
        key("targets", Required, Map(NAME, &T(&TARGET)), "Named environments of the app: where it runs."),
        key(
            "secrets",
            Optional,
            Map(VARIABLE, &Either(&[&GENERATED, &SOURCED])),
            "Secrets by the name of the variable that the Compose files use. Values never stand here.",
        ),
        key(
            "recipients",
            Optional,
            List(&F(RECIPIENT)),
            "Who can read stored secrets. Their private keys never stand here.",
        ),
        key("evaluate", Optional, T(&EVALUATE), "What `plimsoll evaluate` goes by."),
    ],
};

const TARGET: Table = Table {
    name: "target",
    about: "One environment: a node, a guest, and how a release proves itself there.",
    keys: &[
        key("proxmox", Optional, T(&PROXMOX), "The node. Needed unless the guest is adopted."),
        key(
            "guest",
            Required,
            Tagged(
                "kind",
                &[("vm", &NEW_GUEST), ("lxc", &NEW_GUEST), ("oci", &NEW_GUEST), ("adopt", &ADOPTED)],
            ),
            "The guest that runs the app.",
        ),
        key(
            "checks",
            Optional,
            List(&Either(&[&CHECK_HTTP, &CHECK_TCP, &CHECK_COMMAND])),
            "Checks from the client, after every service is healthy. A release is good when all pass.",
        ),
        key(
            "before_release",
            Optional,
            List(&T(&HOOK)),
            "Commands that run in the new image before the switch, such as a database migration. A failure stops the release.",
        ),
        key("backup", Optional, T(&BACKUP), "Backups of the guest."),
        key(
            "build",
            Default("local"),
            Choice(&["local", "guest"]),
            "Where images are built: on the client or in the guest.",
        ),
        key("watch", Default("30s"), F(TIME), "How long a release must stay healthy before it is good."),
        key("deadline", Default("5m"), F(TIME), "How long services and checks may take to pass."),
        key(
            "keep",
            Default("5"),
            Whole(2, 100),
            "Good releases that stay in the guest, the current one included.",
        ),
        key(
            "on_failure",
            Default("restore"),
            Choice(&["restore", "restore_data", "keep"]),
            "What a failed release puts back: the last good release (`restore`), its data from the snapshot too (`restore_data`, which loses what was written since), or nothing: it stays as it is for somebody to look at, until a rollback or the next deploy (`keep`).",
        ),
    ],
};

const PROXMOX: Table = Table {
    name: "proxmox",
    about: "The node. Its API token never stands here.",
    keys: &[
        key("url", Required, F(NODE_URL), "Where the node's API answers."),
        key("node", Required, F(NODE_WORD), "The node's name in its cluster."),
        key(
            "pool",
            Optional,
            F(NODE_WORD),
            "The resource pool that holds the guest. The token's rights can end there.",
        ),
        key(
            "fingerprint",
            Optional,
            F(FINGERPRINT),
            "SHA-256 of the node's certificate, for a node whose certificate no authority signed.",
        ),
    ],
};

const NEW_GUEST: Table = Table {
    name: "guest (vm, lxc, oci)",
    about: "A guest that is created when it is not there. It only ever grows.",
    keys: &[
        key(
            "kind",
            Default("vm"),
            Choice(&["vm", "lxc", "oci", "adopt"]),
            "`vm`: a virtual machine with Docker Engine. `lxc`: an unprivileged container with Docker Engine. `oci`: one native container of the node per service. `adopt`: a machine that exists already.",
        ),
        key(
            "id",
            Optional,
            Whole(100, 999_999_999),
            "Its number on the node. The next free one when nothing is said.",
        ),
        key("name", Optional, F(NAME), "Its name on the node. App and target when nothing is said."),
        key("cores", Default("2"), Whole(1, 512), "Virtual processors."),
        key("memory", Required, F(SIZE), "Memory."),
        key("disk", Required, F(SIZE), "The size of its disk. It can grow and never shrinks."),
        key("storage", Required, F(NODE_WORD), "The node's storage for its disk."),
        key("network", Required, T(&NETWORK), "Its network card."),
        key(
            "image",
            Optional,
            F(IMAGE),
            "What its disk is made from: a template of the node for `lxc`, a disk image for `vm`. The newest Debian that the node has, or knows where to get, when nothing is said. A URL needs `checksum`.",
        ),
        key(
            "clone",
            Optional,
            Choice(&["linked", "full"]),
            "Make it as a clone of a template with Docker Engine inside, which the first guest of its kind leaves on the node. `linked` shares the template's disk, `full` copies it. Each guest is made from `image` when nothing is said.",
        ),
        key("checksum", Optional, F(CHECKSUM), "The digest of what `image` downloads."),
        key("user", Default("plimsoll"), F(USER), "The account that deploys."),
        key(
            "ssh_keys",
            Optional,
            List(&Text("~/.ssh/id_ed25519.pub")),
            "Public keys, or paths of `.pub` files, that may log in. The client's own key when nothing is said.",
        ),
    ],
};

const NETWORK: Table = Table {
    name: "network",
    about: "A guest's network card.",
    keys: &[
        key("bridge", Default("vmbr0"), F(NODE_WORD), "The node's bridge."),
        key("vlan", Optional, Whole(1, 4094), "The VLAN tag."),
        key("address", Default("dhcp"), F(ADDRESS), "A fixed address with its prefix, or `dhcp`."),
        key("gateway", Optional, F(IP), "The gateway. Needed with a fixed address."),
        key("dns", Optional, OneOrMore(&F(IP)), "Name servers. Those of the node when nothing is said."),
    ],
};

const ADOPTED: Table = Table {
    name: "guest (adopt)",
    about: "A machine that exists already and is reached over SSH. Docker Engine with Compose runs there.",
    keys: &[
        key("kind", Required, Choice(&["vm", "lxc", "oci", "adopt"]), "`adopt`."),
        key("address", Required, F(HOST), "Name or address for SSH and for `{guest}`."),
        key("user", Default("plimsoll"), F(USER), "The account that deploys."),
        key("port", Default("22"), Whole(1, 65535), "The port of SSH."),
        key(
            "host_key",
            Optional,
            F(HOST_KEY),
            "The machine's host key. Without it the client's `known_hosts` must know the machine.",
        ),
        key(
            "id",
            Optional,
            Whole(100, 999_999_999),
            "Its number on the node, for snapshots and backups. Needs `proxmox`.",
        ),
    ],
};

const TIMEOUT: &str = "How long one try may take.";

const CHECK_HTTP: Table = Table {
    name: "check (http)",
    about: "A request that must be answered.",
    keys: &[
        key("http", Required, F(HTTP), "The URL. `{guest}` is the guest's address."),
        key("expect", Default("200"), Whole(100, 599), "The status of the answer."),
        key("contains", Optional, Text("\"status\":\"ok\""), "Text that the answer must hold."),
        key("timeout", Default("5s"), F(TIME), TIMEOUT),
    ],
};

const CHECK_TCP: Table = Table {
    name: "check (tcp)",
    about: "A connection that must be accepted.",
    keys: &[
        key("tcp", Required, F(TCP), "Host and port. `{guest}` is the guest's address."),
        key("timeout", Default("5s"), F(TIME), TIMEOUT),
    ],
};

const CHECK_COMMAND: Table = Table {
    name: "check (command)",
    about: "A command on the client that must end with 0.",
    keys: &[
        key(
            "command",
            Required,
            Text("./smoke-test.sh {guest}"),
            "The command for `sh -c`. `{guest}` is the guest's address; other braces stay as they are.",
        ),
        key("timeout", Default("30s"), F(TIME), TIMEOUT),
    ],
};

const HOOK: Table = Table {
    name: "before_release",
    about: "A command in a service's new image.",
    keys: &[
        key("service", Required, F(NODE_WORD), "The service whose image, variables and networks it gets."),
        key("run", Required, Text("alembic upgrade head"), "The command for the image's `sh -c`."),
        key("deadline", Default("10m"), F(TIME), "How long it may take."),
    ],
};

const BACKUP: Table = Table {
    name: "backup",
    about: "Backups of the guest.",
    keys: &[
        key("storage", Required, F(NODE_WORD), "The node's storage that takes them."),
        key(
            "schedule",
            Optional,
            F(CALENDAR),
            "When a job of the node makes one. No job when nothing is said. The job takes `Sys.Modify` on `/`, which `plimsoll doctor` prints apart from the rest.",
        ),
        key("keep", Optional, T(&KEEP), "What is kept. Everything when nothing is said."),
    ],
};

const KEEP: Table = Table {
    name: "keep",
    about: "How many backups are kept.",
    keys: &[
        key("last", Optional, Whole(0, 10_000), "The newest ones."),
        key("daily", Optional, Whole(0, 10_000), "One for each of so many days."),
        key("weekly", Optional, Whole(0, 10_000), "One for each of so many weeks."),
        key("monthly", Optional, Whole(0, 10_000), "One for each of so many months."),
        key("yearly", Optional, Whole(0, 10_000), "One for each of so many years."),
    ],
};

const ROTATE: Key = key(
    "rotate",
    Optional,
    Short(&Choice(SERVERS), &ROTATION),
    "The kind of server whose password it is: a change of the secret changes the server too.",
);

const SERVERS: &[&str] = &["postgres", "mysql", "redis"];

const ROTATION: Table = Table {
    name: "rotate",
    about: "The server whose password it is, where the Compose file alone does not tell.",
    keys: &[
        key("kind", Required, Choice(SERVERS), "The kind of server; `mysql` is MariaDB as well."),
        key(
            "service",
            Optional,
            F(NODE_WORD),
            "The service, when several could be meant or none names the secret.",
        ),
        key(
            "user",
            Optional,
            Text("app"),
            "The user whose password it is, when the service's own variables do not say so.",
        ),
    ],
};

const GENERATED: Table = Table {
    name: "secret (generate)",
    about: "Made once, then kept.",
    keys: &[key("generate", Required, T(&GENERATE), "How it is made. `{}` takes the defaults."), ROTATE],
};

const GENERATE: Table = Table {
    name: "generate",
    about: "How a secret is made.",
    keys: &[
        key("length", Default("32"), Whole(16, 1024), "Characters."),
        key(
            "alphabet",
            Default("url-safe"),
            Choice(&["url-safe", "alphanumeric", "hex"]),
            "Which characters: letters, digits, `-` and `_` (`url-safe`), letters and digits, or digits and `a` to `f`.",
        ),
    ],
};

const SOURCED: Table = Table {
    name: "secret (from)",
    about: "Comes from elsewhere, or is set by hand.",
    keys: &[
        key(
            "from",
            Required,
            Choice(&["store", "env", "file", "command"]),
            "`store`: set by hand and kept with the generated ones. `env`: a variable of the client's environment. `file`: a file on the client. `command`: what a command on the client prints.",
        ),
        key(
            "name",
            Optional,
            F(VARIABLE),
            "With `from: env`: the variable, when it is not called as the secret is.",
        ),
        key("path", Optional, Text("secrets/license.key"), "With `from: file`: the file."),
        key(
            "run",
            Optional,
            Text("op read op://vault/item/field"),
            "With `from: command`: the command for `sh -c`.",
        ),
        ROTATE,
    ],
};

const EVALUATE: Table = Table {
    name: "evaluate",
    about: "What `plimsoll evaluate` goes by.",
    keys: &[
        key(
            "profile",
            Optional,
            Choice(&["homelab", "internet", "production"]),
            "What the deployment is for.",
        ),
        key(
            "weights",
            Optional,
            Map(CRITERION, &Whole(0, 100)),
            "Weights that replace those of the profile when alternatives are compared.",
        ),
        key(
            "hours_per_week",
            Optional,
            Whole(1, 80),
            "Hours of a week that go into the deployment, for the plan by week of the document; 10 if not set.",
        ),
        key("accept", Optional, List(&T(&ACCEPT)), "Risks that are accepted for a time."),
    ],
};

const CRITERION: Form =
    Form { what: "a criterion's name", pattern: "^[a-z][a-z_-]*$", holds: |text| word(text, "_-", 63) };

const ACCEPT: Table = Table {
    name: "accept",
    about: "A risk that is accepted for a time.",
    keys: &[
        key("rule", Required, Text("ISO-001"), "The rule's code or name."),
        key("path", Optional, Text("deploy/"), "Only findings in this file or below this folder."),
        key("reason", Required, Text("the GPU needs it"), "Why."),
        key("until", Required, F(DAY), "The last day on which it is accepted."),
    ],
};
