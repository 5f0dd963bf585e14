//! Text with `{guest}` in it.

/// Text in which `{guest}` stands for the address of the target's guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

const GUEST: &str = "{guest}";

impl Template {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The first `{name}` that is not known.
    pub(crate) fn unknown(text: &str) -> Option<&str> {
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let from = rest.get(at..)?;
            let Some(end) = from.find('}') else { return Some(from) };
            let hole = from.get(..=end)?;
            if hole != GUEST {
                return Some(hole);
            }
            rest = from.get(end + 1..)?;
        }
        None
    }

    /// The text with the guest's address in place.
    #[must_use]
    pub fn render(&self, guest: &str) -> String {
        self.0.replace(GUEST, guest)
    }

    /// The text as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0
    }

    /// Whether it names the guest.
    #[must_use]
    pub fn names_guest(&self) -> bool {
        self.0.contains(GUEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_guest_is_filled_in() {
        assert_eq!(Template::new("http://{guest}:80/").render("10.0.0.5"), "http://10.0.0.5:80/");
        assert_eq!(Template::unknown("http://{guest}:{port}/"), Some("{port}"));
        assert_eq!(Template::unknown("http://{guest"), Some("{guest"));
        assert_eq!(Template::unknown("http://{guest}/"), None);
    }
}
