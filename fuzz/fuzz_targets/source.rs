#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_syntax::source::{self, Dialect};

fuzz_target!(|bytes: &[u8]| plimsoll_fuzz::read(bytes, |layer| {
    for dialect in [Dialect::JavaScript, Dialect::Go, Dialect::Rust] {
        let _ = source::parse(layer, dialect);
    }
    Vec::new()
}));
