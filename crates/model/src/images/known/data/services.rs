//! Brokers, search engines, object storage and monitoring.

use super::NONE;
use crate::images::known::system::Os;
use crate::images::known::table::{KnownImage, Role};

pub(super) const IMAGES: &[KnownImage] = &[
    KnownImage {
        names: &["rabbitmq"],
        role: Role::Broker,
        default_os: Os::Ubuntu,
        ports: &[5672, 15672],
        drops_root: true,
        first_start: &["RABBITMQ_DEFAULT_PASS", "RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_VHOST"],
        data: &["/var/lib/rabbitmq"],
        programs: &["rabbitmq-diagnostics", "rabbitmqctl", "rabbitmq-server", "gosu"],
        ..NONE
    },
    KnownImage {
        names: &["nats"],
        role: Role::Broker,
        default_os: Os::Scratch,
        ports: &[4222, 8222, 6222],
        open: true,
        data: &["/data"],
        programs: &["nats-server"],
        ..NONE
    },
    KnownImage {
        names: &["eclipse-mosquitto"],
        role: Role::Broker,
        default_os: Os::Alpine,
        ports: &[1883, 9001],
        drops_root: true,
        data: &["/mosquitto/data"],
        programs: &["mosquitto", "mosquitto_pub", "mosquitto_sub"],
        ..NONE
    },
    KnownImage {
        names: &["apache/kafka", "confluentinc/cp-kafka", "bitnami/kafka"],
        role: Role::Broker,
        default_os: Os::Unknown,
        ports: &[9092],
        open: true,
        ..NONE
    },
    KnownImage {
        names: &["zookeeper", "confluentinc/cp-zookeeper", "bitnami/zookeeper"],
        role: Role::Broker,
        default_os: Os::Unknown,
        ports: &[2181],
        open: true,
        ..NONE
    },
    KnownImage {
        names: &["emqx", "emqx/emqx"],
        role: Role::Broker,
        default_os: Os::DebianSlim,
        ports: &[1883, 8083, 18083],
        user: Some("emqx"),
        data: &["/opt/emqx/data"],
        programs: &["emqx", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["elasticsearch", "elasticsearch/elasticsearch"],
        role: Role::Search,
        default_os: Os::Unknown,
        ports: &[9200, 9300],
        user: Some("elasticsearch"),
        first_start: &["ELASTIC_PASSWORD"],
        data: &["/usr/share/elasticsearch/data"],
        programs: &["curl", "bash"],
        ..NONE
    },
    KnownImage {
        names: &["opensearchproject/opensearch"],
        role: Role::Search,
        default_os: Os::RedHat,
        ports: &[9200, 9600],
        user: Some("opensearch"),
        first_start: &["OPENSEARCH_INITIAL_ADMIN_PASSWORD"],
        data: &["/usr/share/opensearch/data"],
        programs: &["curl"],
        ..NONE
    },
    KnownImage {
        names: &["getmeili/meilisearch"],
        role: Role::Search,
        default_os: Os::Alpine,
        ports: &[7700],
        open: true,
        data: &["/meili_data"],
        programs: &["meilisearch", "curl", "tini"],
        ..NONE
    },
    KnownImage {
        names: &["typesense/typesense"],
        role: Role::Search,
        default_os: Os::Ubuntu,
        ports: &[8108],
        data: &["/data"],
        ..NONE
    },
    KnownImage {
        names: &["qdrant/qdrant"],
        role: Role::Search,
        default_os: Os::DebianSlim,
        ports: &[6333, 6334],
        open: true,
        data: &["/qdrant/storage"],
        programs: &["qdrant"],
        ..NONE
    },
    KnownImage {
        names: &["chromadb/chroma"],
        role: Role::Search,
        default_os: Os::Unknown,
        ports: &[8000],
        open: true,
        data: &["/data"],
        ..NONE
    },
    KnownImage {
        names: &["semitechnologies/weaviate"],
        role: Role::Search,
        default_os: Os::Alpine,
        ports: &[8080, 50051],
        open: true,
        data: &["/var/lib/weaviate"],
        ..NONE
    },
    KnownImage {
        names: &["solr"],
        role: Role::Search,
        default_os: Os::Ubuntu,
        ports: &[8983],
        user: Some("solr"),
        open: true,
        data: &["/var/solr"],
        programs: &["solr", "curl", "wget"],
        ..NONE
    },
    KnownImage {
        names: &["minio/minio", "bitnami/minio"],
        role: Role::ObjectStorage,
        default_os: Os::RedHat,
        ports: &[9000, 9001],
        data: &["/data"],
        programs: &["minio", "mc", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["grafana/grafana", "grafana/grafana-oss", "grafana/grafana-enterprise"],
        role: Role::Monitoring,
        default_os: Os::Alpine,
        ports: &[3000],
        user: Some("grafana"),
        first_start: &["GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_ADMIN_USER"],
        data: &["/var/lib/grafana"],
        programs: &["grafana", "curl", "bash"],
        ..NONE
    },
    KnownImage {
        names: &["prom/prometheus"],
        role: Role::Monitoring,
        default_os: Os::Alpine,
        ports: &[9090],
        user: Some("nobody"),
        open: true,
        data: &["/prometheus"],
        programs: &["prometheus", "promtool"],
        ..NONE
    },
    KnownImage {
        names: &["prom/alertmanager"],
        role: Role::Monitoring,
        default_os: Os::Alpine,
        ports: &[9093],
        user: Some("nobody"),
        open: true,
        data: &["/alertmanager"],
        programs: &["alertmanager", "amtool"],
        ..NONE
    },
    KnownImage {
        names: &["prom/node-exporter"],
        role: Role::Monitoring,
        default_os: Os::Alpine,
        ports: &[9100],
        user: Some("nobody"),
        open: true,
        programs: &["node_exporter"],
        ..NONE
    },
    KnownImage {
        names: &["grafana/loki"],
        role: Role::Monitoring,
        default_os: Os::Unknown,
        ports: &[3100],
        user: Some("loki"),
        open: true,
        data: &["/loki"],
        ..NONE
    },
    KnownImage {
        names: &["cadvisor/cadvisor", "google/cadvisor"],
        role: Role::Monitoring,
        default_os: Os::Alpine,
        ports: &[8080],
        open: true,
        programs: &["cadvisor"],
        ..NONE
    },
    KnownImage {
        names: &["victoriametrics/victoria-metrics"],
        role: Role::Monitoring,
        default_os: Os::Alpine,
        ports: &[8428],
        open: true,
        data: &["/victoria-metrics-data"],
        ..NONE
    },
    KnownImage {
        names: &["influxdb"],
        role: Role::Monitoring,
        default_os: Os::DebianSlim,
        ports: &[8086],
        drops_root: true,
        first_start: &[
            "DOCKER_INFLUXDB_INIT_PASSWORD",
            "DOCKER_INFLUXDB_INIT_USERNAME",
            "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN",
            "DOCKER_INFLUXDB_INIT_ORG",
            "DOCKER_INFLUXDB_INIT_BUCKET",
        ],
        data: &["/var/lib/influxdb2", "/etc/influxdb2"],
        programs: &["influx", "influxd", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["louislam/uptime-kuma"],
        role: Role::Monitoring,
        default_os: Os::DebianSlim,
        ports: &[3001],
        data: &["/app/data"],
        programs: &["node", "npm", "curl"],
        ..NONE
    },
    KnownImage {
        names: &["jaegertracing/all-in-one"],
        role: Role::Monitoring,
        default_os: Os::Scratch,
        ports: &[16686, 4317, 4318],
        open: true,
        ..NONE
    },
];
