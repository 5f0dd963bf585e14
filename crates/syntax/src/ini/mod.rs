//! INI files: `alembic.ini`, `ansible.cfg`, systemd units.

mod parse;

pub use parse::{Entry, Ini, Section, parse};
