//! Attack paths as a drawing: places in columns, steps as numbered lines between them.

mod draw;
mod layout;
mod order;

pub(super) use draw::draw;
