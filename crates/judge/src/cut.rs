//! The cheapest set of changes that cuts every path: a weighted hitting set, solved exactly.

/// A set of changes, one bit for each.
pub type Changes = u64;

/// Most changes that can be told apart.
pub const MOST_CHANGES: usize = 64;

/// The cheapest set of changes that shares one with each path, and its weight.
///
/// `paths` holds for each path the changes that cut it; paths that nothing cuts are ignored. Among sets of equal
/// weight the one with fewer changes wins, then the one whose changes come first. The search is exact; it branches
/// over the changes of the path with the fewest and stops where it cannot get better than what it has.
#[must_use]
pub fn cheapest_cut(paths: &[Changes], weights: &[u32]) -> (Changes, u32) {
    let paths = minimal(paths);
    let mut search = Search { weights, best: None };
    search.go(&paths, 0, 0);
    search.best.map_or((0, 0), |(weight, _, changes)| (changes, weight))
}

/// Paths that no other path implies: cutting a path cuts each path that can be cut by the same changes and more.
fn minimal(paths: &[Changes]) -> Vec<Changes> {
    let mut sorted: Vec<Changes> = paths.iter().copied().filter(|path| *path != 0).collect();
    sorted.sort_by_key(|path| (path.count_ones(), *path));
    sorted.dedup();
    let mut kept: Vec<Changes> = Vec::new();
    for path in sorted {
        if !kept.iter().any(|small| small & path == *small) {
            kept.push(path);
        }
    }
    kept
}

struct Search<'a> {
    weights: &'a [u32],
    /// Weight, number of changes, the changes with the first one as the highest bit of the order.
    best: Option<(u32, u32, Changes)>,
}

impl Search<'_> {
    fn go(&mut self, paths: &[Changes], chosen: Changes, weight: u32) {
        let Some(path) = paths.iter().find(|path| **path & chosen == 0) else {
            let found = (weight, chosen.count_ones(), chosen);
            let order = |(weight, count, changes): (u32, u32, Changes)| {
                (weight, count, std::cmp::Reverse(changes.reverse_bits()))
            };
            if self.best.is_none_or(|best| order(found) < order(best)) {
                self.best = Some(found);
            }
            return;
        };
        if self
            .best
            .is_some_and(|(best, ..)| weight.saturating_add(bound(paths, chosen, self.weights)) > best)
        {
            return;
        }
        for change in each(*path) {
            self.go(paths, chosen | 1 << change, weight.saturating_add(self.weight(change)));
        }
    }

    fn weight(&self, change: usize) -> u32 {
        self.weights.get(change).copied().unwrap_or(u32::MAX)
    }
}

/// What the paths that share no change with each other cost at least.
fn bound(paths: &[Changes], chosen: Changes, weights: &[u32]) -> u32 {
    let mut seen: Changes = 0;
    let mut total = 0_u32;
    for path in paths.iter().filter(|path| **path & chosen == 0) {
        if path & seen == 0 {
            seen |= path;
            let least = each(*path).map(|change| weights.get(change).copied().unwrap_or(u32::MAX)).min();
            total = total.saturating_add(least.unwrap_or(0));
        }
    }
    total
}

/// The positions of the bits of a set, lowest first.
pub fn each(changes: Changes) -> impl Iterator<Item = usize> {
    (0..MOST_CHANGES).filter(move |bit| changes >> bit & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute_force(paths: &[Changes], weights: &[u32]) -> u32 {
        (0..1_u64 << weights.len())
            .filter(|set| paths.iter().all(|path| *path == 0 || path & set != 0))
            .map(|set| each(set).map(|bit| weights[bit]).sum())
            .min()
            .unwrap()
    }

    proptest! {
        #[test]
        fn no_other_set_is_cheaper(
            weights in prop::collection::vec(1_u32..40, 1..11),
            raw in prop::collection::vec(any::<u64>(), 0..24),
        ) {
            let all = (1_u64 << weights.len()) - 1;
            let paths: Vec<Changes> = raw.iter().map(|path| path & path.rotate_left(7) & all).collect();
            let (changes, weight) = cheapest_cut(&paths, &weights);
            prop_assert!(paths.iter().all(|path| *path == 0 || path & changes != 0), "a path is left");
            prop_assert_eq!(weight, each(changes).map(|bit| weights[bit]).sum::<u32>());
            prop_assert_eq!(weight, brute_force(&paths, &weights));
        }

        #[test]
        fn the_order_of_paths_does_not_matter(
            weights in prop::collection::vec(1_u32..4, 8),
            mut paths in prop::collection::vec(1_u64..256, 1..12),
        ) {
            let cut = cheapest_cut(&paths, &weights);
            paths.reverse();
            prop_assert_eq!(cut, cheapest_cut(&paths, &weights));
        }
    }

    #[test]
    fn one_change_that_cuts_all_beats_several_cheaper_ones() {
        assert_eq!(cheapest_cut(&[0b101, 0b110], &[3, 3, 5]), (0b100, 5));
        assert_eq!(cheapest_cut(&[0b101, 0b110], &[2, 2, 5]), (0b011, 4));
        assert_eq!(cheapest_cut(&[], &[1]), (0, 0));
        assert_eq!(cheapest_cut(&[0], &[1]), (0, 0));
    }
}
