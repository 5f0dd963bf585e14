#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| plimsoll_fuzz::read(bytes, |layer| plimsoll_syntax::python::parse(layer).errors));
