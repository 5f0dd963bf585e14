//! SEC: secrets.

mod committed_secret;
mod default_credential;
mod first_run_state_lost;
mod fragile_dotenv_parsing;
mod kept_secret;
mod key_leaves_its_host;
mod node_credential_in_guest;
mod placeholder_as_value;
mod predictable_secret_file;
mod private_file;
mod raw_secret_in_url;
mod refused_default;
mod regenerated_secret;
mod secret_in_archive;
mod secret_in_environment;
mod secret_left_behind;
mod secret_pushed_without_mode;
mod unexpanded_secret;
mod unguarded_required_secret;
mod weak_generator_fallback;
mod weak_secret_storage;
mod words;
mod written;

pub(crate) use written::regenerated;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &committed_secret::RULE,
    &default_credential::RULE,
    &regenerated_secret::RULE,
    &first_run_state_lost::RULE,
    &unexpanded_secret::RULE,
    &secret_in_archive::RULE,
    &secret_left_behind::RULE,
    &predictable_secret_file::RULE,
    &secret_pushed_without_mode::RULE,
    &unguarded_required_secret::RULE,
    &secret_in_environment::RULE,
    &node_credential_in_guest::RULE,
    &raw_secret_in_url::RULE,
    &fragile_dotenv_parsing::RULE,
    &placeholder_as_value::RULE,
    &weak_secret_storage::RULE,
    &key_leaves_its_host::RULE,
    &weak_generator_fallback::RULE,
];
