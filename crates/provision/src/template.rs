//! What containers are made from.

/// The oldest Debian whose own packages have Docker Engine and Compose.
const OLDEST: u32 = 13;

/// The rank of a Debian template by its file name, higher is newer; nothing for other files.
fn rank(name: &str) -> Option<(u32, Vec<u32>)> {
    let rest = name.strip_prefix("debian-")?;
    let (release, rest) = rest.split_once("-standard_")?;
    let (version, rest) = rest.split_once("_amd64.tar.")?;
    if !matches!(rest, "zst" | "gz" | "xz") {
        return None;
    }
    let release: u32 = release.parse().ok().filter(|release| *release >= OLDEST)?;
    let version = version.split(['.', '-']).map(|part| part.parse().unwrap_or(0)).collect();
    Some((release, version))
}

fn file(volume: &str) -> &str {
    volume.rsplit_once('/').map_or(volume, |(_, name)| name)
}

/// The newest Debian among volumes or file names.
pub(crate) fn newest(names: &[String]) -> Option<&String> {
    let ranked = names.iter().filter_map(|name| Some((rank(file(name))?, name)));
    ranked.max().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_debian_with_compose_is_taken() {
        let names: Vec<String> = [
            "local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz",
            "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst",
            "local:vztmpl/debian-13-standard_13.10-1_amd64.tar.zst",
            "local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst",
            "local:vztmpl/debian-13-standard_13.9-1_amd64.tar.zst",
            "local:vztmpl/debian-13-turnkey-lamp_19.0-1_amd64.tar.gz",
        ]
        .map(ToOwned::to_owned)
        .to_vec();
        assert_eq!(newest(&names).map(|name| file(name)), Some("debian-13-standard_13.10-1_amd64.tar.zst"));
        assert_eq!(newest(&names[..1]), None);
        assert_eq!(newest(&names[3..4]), None);
    }
}
