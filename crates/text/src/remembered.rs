//! What is worked out from one file alone.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::SourceFile;

/// Something that is worked out from one file: from its path, its text and its id, and from nothing else.
///
/// A file remembers it, so sets of files that share the file (see [`crate::Files::with_texts`]) work it out once.
/// It is kept in a static of whoever works it out.
#[derive(Debug)]
pub struct Remembered<T> {
    number: OnceLock<u32>,
    of: PhantomData<fn() -> T>,
}

/// What is remembered of one file, by the number of what was worked out.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Vec<(u32, Arc<dyn Any + Send + Sync>)>>);

impl Memory {
    fn recall<T: Any + Send + Sync>(&self, number: u32) -> Option<Arc<T>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, known) = all.iter().find(|(known, _)| *known == number)?;
        Arc::clone(known).downcast().ok()
    }

    fn keep(&self, number: u32, value: Arc<dyn Any + Send + Sync>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((number, value));
    }
}

impl<T: Any + Send + Sync> Remembered<T> {
    /// Nothing yet.
    #[expect(clippy::new_without_default, reason = "it stands in statics, where `default` cannot")]
    #[must_use]
    pub const fn new() -> Self {
        Self { number: OnceLock::new(), of: PhantomData }
    }

    /// What is known of a file, or is worked out and known from now on.
    pub fn of(&self, file: &SourceFile, work: impl FnOnce() -> T) -> Arc<T> {
        static ALL: AtomicU32 = AtomicU32::new(0);
        let number = *self.number.get_or_init(|| ALL.fetch_add(1, Ordering::Relaxed));
        if let Some(known) = file.memory().recall(number) {
            return known;
        }
        // The memory is open meanwhile: what is worked out may rest on something else that is remembered.
        let found = Arc::new(work());
        file.memory().keep(number, Arc::clone(&found) as Arc<dyn Any + Send + Sync>);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    #[test]
    fn a_file_is_worked_on_once_and_another_text_anew() {
        static LENGTH: Remembered<usize> = Remembered::new();
        static DOUBLE: Remembered<String> = Remembered::new();
        let length = |file: &SourceFile| *LENGTH.of(file, || file.text().len());
        let double = |file: &SourceFile| DOUBLE.of(file, || (length(file) * 2).to_string());
        let files = Files::new([("a".into(), "one".to_owned()), ("b".into(), "three".to_owned())]);
        let ids: Vec<_> = files.iter().map(|(id, _)| id).collect();
        let changed = files.with_texts([(ids[0], "changed".to_owned())]);
        for (set, expected) in [(&files, ["6", "10"]), (&changed, ["14", "10"])] {
            assert_eq!(ids.iter().map(|id| double(set.get(*id)).to_string()).collect::<Vec<_>>(), expected);
        }
        let again = LENGTH.of(changed.get(ids[1]), || unreachable!("the file is the same"));
        assert_eq!(*again, 5);
    }
}
