//! What virtual machines lack: the emulator, its tools, the way to the network, and their disk image.

use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use super::doctor::{Check, check, find, read};
use super::vm_image::VmImage;

const INSTALL: &str = "apt-get update && apt-get install -y --no-install-recommends \
                       qemu-system-x86 qemu-utils mmdebstrap e2fsprogs";

pub(super) fn checks(cache: &Path) -> Vec<Check> {
    let there = |name: &str| find(name).is_some();
    let release = read(Path::new("/etc/os-release"));
    let install = install(there("qemu-system-x86_64"), there("qemu-img"), &release);
    let program = |name: &str| check(&format!("program {name}"), there(name), &install);
    let mut checks = vec![program("qemu-system-x86_64"), program("qemu-img"), program("mke2fs")];
    let image = VmImage::in_cache(cache);
    if !image.is_built() {
        checks.push(program("mmdebstrap"));
    }
    let tun = Path::new("/dev/net/tun").metadata().is_ok_and(|found| found.file_type().is_char_device());
    checks.push(check(
        "/dev/net/tun",
        tun,
        "mkdir -p /dev/net && mknod -m 666 /dev/net/tun c 10 200; modprobe tun",
    ));
    checks.push(check(
        "the disk image of virtual machines",
        image.is_built(),
        "plimsoll lab image build --vm",
    ));
    checks
}

/// The line that brings the programs. Debian's emulator and its tools are of one release: tools that came from another one, such as
/// backports, are taken back to the machine's own.
fn install(emulator: bool, tools: bool, release: &str) -> String {
    let codename = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    match codename.filter(|_| tools && !emulator) {
        Some(codename) => {
            let codename = codename.trim_matches('"');
            let own = format!("--allow-downgrades qemu-utils/{codename}");
            INSTALL.replace("qemu-utils", &own)
        }
        None => INSTALL.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_and_its_tools_come_from_one_release() {
        let release = "ID=debian\nVERSION_CODENAME=bookworm\n";
        assert_eq!(install(false, false, release), INSTALL);
        let line = install(false, true, release);
        assert!(line.contains("qemu-system-x86 --allow-downgrades qemu-utils/bookworm mmdebstrap"), "{line}");
        assert_eq!(install(false, true, "ID=arch\n"), INSTALL);
    }

    #[test]
    fn an_image_that_is_not_built_says_how() {
        let cache = tempfile::tempdir().unwrap();
        let checks = checks(cache.path());
        let image = checks.last().unwrap();
        assert_eq!((image.found, image.enable.as_str()), (false, "plimsoll lab image build --vm"));
    }
}
