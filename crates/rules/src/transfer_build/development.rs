//! Dockerfiles that no deployment builds.

use camino::Utf8Path;

/// Whether a Dockerfile is named as one for development or tests.
pub(crate) fn is_for_development(path: &Utf8Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    name.split(['.', '-', '_']).any(|part| matches!(part, "dev" | "devel" | "development" | "test" | "tests"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_of_the_name_count() {
        assert!(is_for_development(Utf8Path::new("app/Dockerfile.dev")));
        assert!(is_for_development(Utf8Path::new("test.Dockerfile")));
        assert!(!is_for_development(Utf8Path::new("dev/Dockerfile")));
        assert!(!is_for_development(Utf8Path::new("Dockerfile.device")));
    }
}
