//! Guests described by configuration files of `/etc/pve`.

use camino::Utf8Path;
use plimsoll_text::{FileId, Place, SourceFile, Span};

use super::{Guest, GuestKind, Guests, Maker, Setting};
use crate::commands::Value;

/// Reads a guest configuration. Snapshot sections describe the past and are left out.
pub(crate) fn from_config(file: FileId, source: &SourceFile, guests: &mut Guests) {
    let mut settings = Vec::new();
    for line in 0..source.line_count() {
        let span = source.line_span(line);
        let text = source.slice(span);
        if text.starts_with('[') {
            break;
        }
        if text.starts_with('#') {
            continue;
        }
        let Some(at) = text.find(':').or_else(|| text.find('=').filter(|_| text.starts_with("lxc."))) else {
            continue;
        };
        let (key, value) = text.split_at(at);
        settings.push(Setting {
            key: key.trim().to_owned(),
            value: Value::literal(value.get(1..).unwrap_or_default().trim()),
            place: Place::new(file, span),
            maker: Maker::Config,
        });
    }
    let is_vm = source.path().as_str().contains("qemu-server")
        || settings
            .iter()
            .any(|s| matches!(s.key.as_str(), "scsihw" | "bios" | "boot" | "sockets" | "agent"));
    let id = Utf8Path::new(source.name()).file_stem().filter(|stem| stem.bytes().all(|b| b.is_ascii_digit()));
    let end = source.line_span(0).end;
    guests.add(Guest {
        kind: if is_vm { GuestKind::Vm } else { GuestKind::Lxc },
        id: id.map(Value::literal),
        place: Place::new(file, Span::new(0, end)),
        maker: Maker::Config,
        created: true,
        settings,
    });
}
