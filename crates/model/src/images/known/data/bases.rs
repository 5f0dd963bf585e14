//! Distributions, runtimes and web servers.

use super::NONE;
use crate::images::known::system::Os;
use crate::images::known::table::{KnownImage, Role};

pub(super) const IMAGES: &[KnownImage] = &[
    KnownImage { names: &["debian"], role: Role::System, default_os: Os::DebianSlim, ..NONE },
    KnownImage { names: &["ubuntu"], role: Role::System, default_os: Os::Ubuntu, ..NONE },
    KnownImage { names: &["alpine"], role: Role::System, default_os: Os::Alpine, ..NONE },
    KnownImage { names: &["busybox"], role: Role::System, default_os: Os::Alpine, ..NONE },
    KnownImage {
        names: &["fedora", "centos", "rockylinux", "almalinux", "oraclelinux", "rockylinux/rockylinux"],
        role: Role::System,
        default_os: Os::RedHat,
        ..NONE
    },
    KnownImage {
        names: &["python"],
        role: Role::Runtime,
        default_os: Os::DebianFull,
        programs: &["python", "python3", "pip", "pip3"],
        ..NONE
    },
    KnownImage {
        names: &["node"],
        role: Role::Runtime,
        default_os: Os::DebianFull,
        programs: &["node", "npm", "npx", "yarn", "corepack"],
        ..NONE
    },
    KnownImage {
        names: &["oven/bun"],
        role: Role::Runtime,
        default_os: Os::DebianSlim,
        programs: &["bun", "bunx"],
        ..NONE
    },
    KnownImage {
        names: &["denoland/deno"],
        role: Role::Runtime,
        default_os: Os::DebianSlim,
        programs: &["deno", "tini"],
        ..NONE
    },
    KnownImage {
        names: &["golang"],
        role: Role::Runtime,
        default_os: Os::DebianFull,
        programs: &["go", "gofmt"],
        ..NONE
    },
    KnownImage {
        names: &["rust"],
        role: Role::Runtime,
        default_os: Os::DebianFull,
        programs: &["cargo", "rustc", "rustup"],
        ..NONE
    },
    KnownImage {
        names: &["ruby"],
        role: Role::Runtime,
        default_os: Os::DebianFull,
        programs: &["ruby", "gem", "bundle", "irb", "rake"],
        ..NONE
    },
    KnownImage {
        names: &["php"],
        role: Role::Runtime,
        default_os: Os::DebianSlim,
        programs: &["php", "curl", "docker-php-ext-install", "docker-php-entrypoint"],
        ..NONE
    },
    KnownImage {
        names: &["eclipse-temurin"],
        role: Role::Runtime,
        default_os: Os::Ubuntu,
        programs: &["java", "javac", "curl", "wget"],
        ..NONE
    },
    KnownImage {
        names: &["openjdk", "amazoncorretto"],
        role: Role::Runtime,
        default_os: Os::Unknown,
        programs: &["java", "javac"],
        ..NONE
    },
    KnownImage {
        names: &["maven", "gradle"],
        role: Role::Runtime,
        default_os: Os::Unknown,
        programs: &["java", "mvn", "gradle"],
        ..NONE
    },
    KnownImage {
        names: &["elixir", "erlang"],
        role: Role::Runtime,
        default_os: Os::DebianFull,
        programs: &["elixir", "mix", "erl"],
        ..NONE
    },
    KnownImage {
        names: &["dotnet/aspnet", "dotnet/runtime", "dotnet/sdk"],
        role: Role::Runtime,
        default_os: Os::DebianSlim,
        ports: &[8080],
        programs: &["dotnet"],
        ..NONE
    },
    KnownImage {
        names: &["astral-sh/uv"],
        role: Role::Runtime,
        default_os: Os::Unknown,
        programs: &["uv", "uvx"],
        ..NONE
    },
    KnownImage {
        names: &["tiangolo/uvicorn-gunicorn-fastapi", "tiangolo/uvicorn-gunicorn"],
        role: Role::Runtime,
        default_os: Os::DebianFull,
        ports: &[80],
        programs: &["python", "python3", "pip", "gunicorn", "uvicorn"],
        ..NONE
    },
    KnownImage {
        names: &["nginx"],
        role: Role::WebServer,
        default_os: Os::DebianSlim,
        ports: &[80],
        programs: &["nginx", "curl", "envsubst"],
        ..NONE
    },
    KnownImage {
        names: &["nginxinc/nginx-unprivileged"],
        role: Role::WebServer,
        default_os: Os::DebianSlim,
        ports: &[8080],
        user: Some("nginx"),
        programs: &["nginx", "curl", "envsubst"],
        ..NONE
    },
    KnownImage {
        names: &["httpd"],
        role: Role::WebServer,
        default_os: Os::DebianSlim,
        ports: &[80],
        programs: &["httpd", "apachectl"],
        ..NONE
    },
    KnownImage {
        names: &["caddy"],
        role: Role::WebServer,
        default_os: Os::Alpine,
        ports: &[80, 443, 2019],
        data: &["/data", "/config"],
        programs: &["caddy"],
        ..NONE
    },
    KnownImage {
        names: &["traefik"],
        role: Role::WebServer,
        default_os: Os::Alpine,
        ports: &[80, 443, 8080],
        programs: &["traefik"],
        ..NONE
    },
    KnownImage {
        names: &["haproxy"],
        role: Role::WebServer,
        default_os: Os::DebianSlim,
        user: Some("haproxy"),
        programs: &["haproxy"],
        ..NONE
    },
    KnownImage {
        names: &["envoyproxy/envoy"],
        role: Role::WebServer,
        default_os: Os::Ubuntu,
        programs: &["envoy"],
        ..NONE
    },
    KnownImage {
        names: &["jc21/nginx-proxy-manager"],
        role: Role::WebServer,
        default_os: Os::DebianSlim,
        ports: &[80, 81, 443],
        data: &["/data", "/etc/letsencrypt"],
        programs: &["nginx", "curl", "node"],
        ..NONE
    },
];
