//! Time and chance. Both come from here only, so that one seed gives one run.

use std::time::Instant;

/// Milliseconds since 1970, either running or moved by hand.
#[derive(Debug)]
pub(crate) struct Clock {
    base: i64,
    began: Option<Instant>,
    moved: i64,
}

impl Clock {
    /// A clock that runs from `base`.
    pub(crate) fn running(base: i64) -> Self {
        Self { base, began: Some(Instant::now()), moved: 0 }
    }

    /// A clock that stands at `base` until it is moved.
    pub(crate) fn standing(base: i64) -> Self {
        Self { base, began: None, moved: 0 }
    }

    pub(crate) fn now(&self) -> i64 {
        let ran =
            self.began.map_or(0, |began| i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX));
        self.base.saturating_add(ran).saturating_add(self.moved)
    }

    pub(crate) fn advance(&mut self, milliseconds: i64) {
        self.moved = self.moved.saturating_add(milliseconds);
    }
}

/// A small generator (splitmix64). Nothing secret comes from it but secrets of the lab.
#[derive(Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xFFFF,
            a & 0xFFF,
            (b >> 48) & 0xFFF,
            b & 0xFFFF_FFFF_FFFF
        )
    }

    /// An address of the vendor's range.
    pub(crate) fn mac(&mut self) -> String {
        let bits = self.next();
        format!("BC:24:11:{:02X}:{:02X}:{:02X}", (bits >> 16) & 0xFF, (bits >> 8) & 0xFF, bits & 0xFF)
    }
}
