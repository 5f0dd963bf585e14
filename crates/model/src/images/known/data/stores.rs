//! Databases and caches.

use super::NONE;
use crate::images::known::system::Os;
use crate::images::known::table::{KnownImage, Role};

pub(super) const IMAGES: &[KnownImage] = &[
    KnownImage {
        names: &[
            "postgres",
            "postgis/postgis",
            "pgvector/pgvector",
            "timescale/timescaledb",
            "timescale/timescaledb-ha",
            "supabase/postgres",
            "imresamu/postgis",
            "tensorchord/pgvecto-rs",
            "immich-app/postgres",
        ],
        role: Role::Database,
        default_os: Os::DebianSlim,
        ports: &[5432],
        drops_root: true,
        first_start: &[
            "POSTGRES_PASSWORD",
            "POSTGRES_USER",
            "POSTGRES_DB",
            "POSTGRES_PASSWORD_FILE",
            "POSTGRES_INITDB_ARGS",
            "POSTGRES_HOST_AUTH_METHOD",
        ],
        data: &["/var/lib/postgresql/data", "/var/lib/postgresql"],
        programs: &[
            "postgres",
            "psql",
            "pg_isready",
            "pg_dump",
            "pg_dumpall",
            "pg_restore",
            "createdb",
            "dropdb",
            "createuser",
            "initdb",
            "pg_ctl",
            "gosu",
        ],
        ..NONE
    },
    KnownImage {
        names: &["bitnami/postgresql", "bitnamilegacy/postgresql"],
        role: Role::Database,
        default_os: Os::DebianSlim,
        ports: &[5432],
        user: Some("1001"),
        first_start: &[
            "POSTGRESQL_PASSWORD",
            "POSTGRES_PASSWORD",
            "POSTGRESQL_USERNAME",
            "POSTGRESQL_DATABASE",
            "POSTGRESQL_POSTGRES_PASSWORD",
        ],
        data: &["/bitnami/postgresql"],
        programs: &["psql", "pg_isready", "pg_dump"],
        ..NONE
    },
    KnownImage {
        names: &["mysql", "percona"],
        role: Role::Database,
        default_os: Os::RedHat,
        ports: &[3306, 33060],
        drops_root: true,
        first_start: &[
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_PASSWORD",
            "MYSQL_USER",
            "MYSQL_DATABASE",
            "MYSQL_ALLOW_EMPTY_PASSWORD",
            "MYSQL_RANDOM_ROOT_PASSWORD",
        ],
        data: &["/var/lib/mysql"],
        programs: &["mysql", "mysqld", "mysqladmin", "mysqldump", "gosu"],
        ..NONE
    },
    KnownImage {
        names: &["mariadb", "linuxserver/mariadb"],
        role: Role::Database,
        default_os: Os::Ubuntu,
        ports: &[3306],
        drops_root: true,
        first_start: &[
            "MARIADB_ROOT_PASSWORD",
            "MARIADB_PASSWORD",
            "MARIADB_USER",
            "MARIADB_DATABASE",
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_PASSWORD",
            "MYSQL_USER",
            "MYSQL_DATABASE",
            "MYSQL_ALLOW_EMPTY_PASSWORD",
            "MYSQL_RANDOM_ROOT_PASSWORD",
        ],
        data: &["/var/lib/mysql"],
        programs: &["mariadb", "mariadbd", "mariadb-admin", "mariadb-dump", "healthcheck.sh", "gosu"],
        ..NONE
    },
    KnownImage {
        names: &["bitnami/mariadb", "bitnami/mysql"],
        role: Role::Database,
        default_os: Os::DebianSlim,
        ports: &[3306],
        user: Some("1001"),
        first_start: &["MARIADB_ROOT_PASSWORD", "MARIADB_PASSWORD", "MYSQL_ROOT_PASSWORD", "MYSQL_PASSWORD"],
        data: &["/bitnami/mariadb", "/bitnami/mysql"],
        programs: &["mysql", "mysqladmin"],
        ..NONE
    },
    KnownImage {
        names: &["mongo"],
        role: Role::Database,
        default_os: Os::Ubuntu,
        ports: &[27017],
        drops_root: true,
        open: true,
        first_start: &["MONGO_INITDB_ROOT_PASSWORD", "MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_DATABASE"],
        data: &["/data/db", "/data/configdb"],
        programs: &["mongod", "mongosh", "gosu"],
        ..NONE
    },
    KnownImage {
        names: &["couchdb"],
        role: Role::Database,
        default_os: Os::DebianSlim,
        ports: &[5984],
        drops_root: true,
        first_start: &["COUCHDB_PASSWORD", "COUCHDB_USER"],
        data: &["/opt/couchdb/data"],
        programs: &["curl"],
        ..NONE
    },
    KnownImage {
        names: &["neo4j"],
        role: Role::Database,
        default_os: Os::DebianSlim,
        ports: &[7474, 7687],
        drops_root: true,
        first_start: &["NEO4J_AUTH"],
        data: &["/data"],
        programs: &["neo4j", "cypher-shell", "wget", "tini"],
        ..NONE
    },
    KnownImage {
        names: &["clickhouse/clickhouse-server"],
        role: Role::Database,
        default_os: Os::Ubuntu,
        ports: &[8123, 9000],
        drops_root: true,
        first_start: &["CLICKHOUSE_PASSWORD", "CLICKHOUSE_USER", "CLICKHOUSE_DB"],
        data: &["/var/lib/clickhouse"],
        programs: &["clickhouse", "clickhouse-client", "wget"],
        ..NONE
    },
    KnownImage {
        names: &["cassandra"],
        role: Role::Database,
        default_os: Os::Ubuntu,
        ports: &[9042, 7000],
        drops_root: true,
        open: true,
        data: &["/var/lib/cassandra"],
        programs: &["cqlsh", "nodetool"],
        ..NONE
    },
    KnownImage {
        names: &["surrealdb/surrealdb"],
        role: Role::Database,
        default_os: Os::Distroless,
        ports: &[8000],
        data: &["/data"],
        ..NONE
    },
    KnownImage {
        names: &["cockroachdb/cockroach"],
        role: Role::Database,
        default_os: Os::RedHat,
        ports: &[26257, 8080],
        data: &["/cockroach/cockroach-data"],
        programs: &["cockroach", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["mssql/server"],
        role: Role::Database,
        default_os: Os::Ubuntu,
        ports: &[1433],
        user: Some("mssql"),
        first_start: &["MSSQL_SA_PASSWORD", "SA_PASSWORD"],
        data: &["/var/opt/mssql"],
        ..NONE
    },
    KnownImage {
        names: &["redis", "redis/redis-stack", "redis/redis-stack-server"],
        role: Role::Cache,
        default_os: Os::DebianSlim,
        ports: &[6379],
        drops_root: true,
        open: true,
        data: &["/data"],
        programs: &["redis-server", "redis-cli", "redis-benchmark"],
        ..NONE
    },
    KnownImage {
        names: &["valkey/valkey"],
        role: Role::Cache,
        default_os: Os::DebianSlim,
        ports: &[6379],
        drops_root: true,
        open: true,
        data: &["/data"],
        programs: &["valkey-server", "valkey-cli", "redis-server", "redis-cli"],
        ..NONE
    },
    KnownImage {
        names: &["eqalpha/keydb"],
        role: Role::Cache,
        default_os: Os::Unknown,
        ports: &[6379],
        open: true,
        data: &["/data"],
        programs: &["keydb-server", "keydb-cli"],
        ..NONE
    },
    KnownImage {
        names: &["dragonflydb/dragonfly"],
        role: Role::Cache,
        default_os: Os::Ubuntu,
        ports: &[6379],
        open: true,
        data: &["/data"],
        programs: &["dragonfly", "redis-cli"],
        ..NONE
    },
    KnownImage {
        names: &["bitnami/redis"],
        role: Role::Cache,
        default_os: Os::DebianSlim,
        ports: &[6379],
        user: Some("1001"),
        data: &["/bitnami/redis/data"],
        programs: &["redis-server", "redis-cli"],
        ..NONE
    },
    KnownImage {
        names: &["memcached"],
        role: Role::Cache,
        default_os: Os::DebianSlim,
        ports: &[11211],
        user: Some("memcache"),
        open: true,
        programs: &["memcached"],
        ..NONE
    },
    KnownImage {
        names: &["etcd", "coreos/etcd", "bitnami/etcd"],
        role: Role::Cache,
        default_os: Os::Unknown,
        ports: &[2379, 2380],
        open: true,
        programs: &["etcd", "etcdctl"],
        ..NONE
    },
];
