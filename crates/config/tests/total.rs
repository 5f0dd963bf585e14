//! No text brings the reader down.

use camino::Utf8Path;
use plimsoll_config::parse;
use proptest::prelude::*;

const FULL: &str = include_str!("full.yaml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_give_a_configuration_or_errors(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(errors) = parse(Utf8Path::new("plimsoll.yaml"), &text) {
            prop_assert!(!errors.0.is_empty());
        }
    }

    #[test]
    fn a_damaged_file_gives_a_configuration_or_errors(at in 0..FULL.len(), cut in 0usize..40, put in "[\\PC\n]{0,8}") {
        let mut end = (at + cut).min(FULL.len());
        let mut start = at;
        while !FULL.is_char_boundary(start) { start -= 1; }
        while !FULL.is_char_boundary(end) { end += 1; }
        let text = format!("{}{put}{}", &FULL[..start], &FULL[end..]);
        if let Err(errors) = parse(Utf8Path::new("plimsoll.yaml"), &text) {
            prop_assert!(!errors.0.is_empty());
            let lines = text.split('\n').count();
            prop_assert!(errors.0.iter().all(|error| (1..=lines).contains(&error.at.line) && error.at.column >= 1));
        }
    }
}
