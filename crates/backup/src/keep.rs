//! Which backups go.

use std::collections::BTreeSet;

use plimsoll_config::Keep;

use crate::Stored;
use crate::calendar::{day, week};

/// The backups that are kept by no rule, oldest first. They are taken as the node's own pruning takes them: the newest
/// `last`, then the newest of each day, week, month and year until each rule has as many as it keeps; a period that a rule
/// before keeps a backup of is not counted again. What is protected stays and counts for nothing; without any rule all stay.
#[must_use]
pub fn superfluous<'a>(stored: &'a [Stored], keep: &Keep) -> Vec<&'a Stored> {
    if *keep == Keep::default() {
        return Vec::new();
    }
    let mut own: Vec<&Stored> = stored.iter().filter(|one| !one.protected).collect();
    own.sort_by(|a, b| (b.at, &b.volume).cmp(&(a.at, &a.volume)));
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    let mut given: BTreeSet<&str> = BTreeSet::new();
    let rules: [(u32, Period); 5] = [
        (keep.last, |one| (0, one.at, 0)),
        (keep.daily, |one| {
            let day = day(one.at);
            (day.year, day.month.into(), day.day)
        }),
        (keep.weekly, |one| (0, week(one.at), 0)),
        (keep.monthly, |one| {
            let day = day(one.at);
            (day.year, day.month.into(), 0)
        }),
        (keep.yearly, |one| (day(one.at).year, 0, 0)),
    ];
    for (index, (count, period)) in rules.into_iter().enumerate() {
        if count == 0 {
            continue;
        }
        let counted = |one: &&&Stored| kept.contains(one.volume.as_str());
        let before: BTreeSet<_> = own.iter().filter(counted).map(|one| period(one)).collect();
        let mut periods = BTreeSet::new();
        let mut taken = 0;
        for one in &own {
            let volume = one.volume.as_str();
            if kept.contains(volume) || given.contains(volume) || before.contains(&period(one)) {
                continue;
            }
            // Two backups of one second are two of the newest.
            if !periods.insert(period(one)) && index != 0 {
                given.insert(volume);
            } else if taken < count {
                kept.insert(volume);
                taken += 1;
            } else {
                break;
            }
        }
    }
    let gone = own.into_iter().rev().filter(|one| !kept.contains(one.volume.as_str()));
    gone.collect()
}

/// What tells periods apart.
type Period = fn(&Stored) -> (i64, u64, u8);

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(at: u64) -> Stored {
        Stored { volume: format!("b:{at:012}"), at, ..Stored::default() }
    }

    /// Days before an end of which backups are kept.
    fn kept(ages: &[u64], keep: Keep) -> Vec<u64> {
        let end = 1_795_391_367;
        let all: Vec<Stored> = ages.iter().map(|age| stored(end - age * 86_400)).collect();
        let gone: Vec<u64> = superfluous(&all, &keep).iter().map(|one| one.at).collect();
        ages.iter().copied().filter(|age| !gone.contains(&(end - age * 86_400))).collect()
    }

    #[test]
    fn each_rule_goes_on_where_the_one_before_ended() {
        let ages: Vec<u64> = (0..40).collect();
        let none = Keep::default();
        assert_eq!(kept(&ages, none), ages, "no rule, no end");
        assert_eq!(kept(&ages, Keep { last: 2, ..none }), [0, 1]);
        assert_eq!(kept(&ages, Keep { last: 1, daily: 2, ..none }), [0, 1, 2]);
        // The last day is a Sunday, so its week is held by the daily ones.
        assert_eq!(kept(&ages, Keep { daily: 3, weekly: 2, ..none }), [0, 1, 2, 7, 14]);
        assert_eq!(kept(&ages, Keep { monthly: 2, ..none }), [0, 22]);
        assert_eq!(kept(&ages, Keep { yearly: 3, ..none }), [0]);
    }

    #[test]
    fn the_newest_of_a_day_stands_for_it() {
        let all: Vec<Stored> = [1_795_305_600, 1_795_309_200, 1_795_312_800].map(stored).to_vec();
        let gone: Vec<u64> =
            superfluous(&all, &Keep { daily: 1, ..Keep::default() }).iter().map(|one| one.at).collect();
        assert_eq!(gone, [1_795_305_600, 1_795_309_200], "oldest first");
    }

    #[test]
    fn what_is_protected_stays_and_counts_for_nothing() {
        let mut all: Vec<Stored> = (0..3).map(|day| stored(1_795_391_367 - day * 86_400)).collect();
        all[0].protected = true;
        let gone = superfluous(&all, &Keep { last: 1, ..Keep::default() });
        assert_eq!(gone, [&all[2]]);
    }
}
