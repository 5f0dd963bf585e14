//! LIF: lifecycle and observability.

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[];
