//! The evaluation as a page, opened in a real browser.

mod browser;
mod holds;
