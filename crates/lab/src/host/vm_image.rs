//! The disk image that virtual machines are made of: Debian with its kernel, GRUB, cloud-init, the guest agent, an SSH server and
//! Docker, as a cloud image in qcow2.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::doctor::need;
use super::image::{LEFT_OUT, PACKAGES, SUITE};
use super::run::{HostError, Tool, file};

/// What the image is called in the storages of a lab.
pub const VM_IMAGE_NAME: &str = "debian-13-genericcloud-amd64-lab.qcow2";

/// What a virtual machine has beside what a container has.
const MORE: [&str; 11] = [
    "linux-image-cloud-amd64",
    "initramfs-tools",
    "grub-pc-bin",
    "udev",
    "systemd-resolved",
    "netplan.io",
    "cloud-init",
    "cloud-guest-utils",
    "e2fsprogs",
    "qemu-guest-agent",
    "apparmor",
];

/// Runs in the image's root, with its programs: what a cloud image has that packages do not bring.
const SETUP: &str = include_str!("../../vm-image/setup.sh");

/// The label of its root file system.
const LABEL: &str = "vmroot";

const MIB: u64 = 1 << 20;
/// The disk's size; machines grow theirs.
const DISK: u64 = 3 << 30;
/// Where the partition begins: there is room for GRUB before it.
const START: u64 = MIB;
const SECTOR: u64 = 512;
/// Bytes of a boot sector that are code; the table of partitions follows.
const BOOT_CODE: usize = 440;
const TABLE: u64 = 446;

/// The image, in a folder of cached ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmImage {
    /// Where it lies, once it is built.
    pub path: PathBuf,
}

impl VmImage {
    /// The image of this release of Plimsoll. Its name changes with what is in it.
    pub fn in_cache(cache: &Path) -> Self {
        let mut hash = Sha256::new();
        for part in [SUITE, SETUP].iter().chain(&PACKAGES).chain(&MORE).chain(&LEFT_OUT) {
            hash.update(part);
            hash.update([0]);
        }
        let key: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { path: cache.join(format!("vm-{key}.qcow2")) }
    }

    /// Whether it is built.
    pub fn is_built(&self) -> bool {
        self.path.is_file()
    }

    /// Builds it, with lines about how it goes. Another build at the same time is waited for.
    pub fn build(&self, mut progress: impl FnMut(&str)) -> Result<(), HostError> {
        if !self.is_built() {
            need(&["mmdebstrap", "mke2fs", "qemu-img"])?;
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(file(folder))?;
        let lock = folder.join("build-vm.lock");
        let held = File::create(&lock).map_err(file(&lock))?;
        held.lock().map_err(file(&lock))?;
        if self.is_built() {
            return Ok(());
        }
        let work = folder.join("work-vm");
        // What a build that was cut short left is in the way.
        let _ = std::fs::remove_dir_all(&work);
        std::fs::create_dir(&work).map_err(file(&work))?;
        let made = self.make(&work, &mut progress);
        let _ = std::fs::remove_dir_all(&work);
        made
    }

    fn make(&self, work: &Path, progress: &mut impl FnMut(&str)) -> Result<(), HostError> {
        let (setup, tree) = (work.join("setup.sh"), work.join("tree"));
        write(&setup, SETUP)?;
        Tool::new("mmdebstrap")
            .args(["--variant=minbase", "--mode=root", "--skip=output/dev"])
            .arg(format!("--include={}", [PACKAGES.as_slice(), MORE.as_slice()].concat().join(",")))
            .args(LEFT_OUT.map(|line| format!("--dpkgopt={line}")))
            .arg(format!("--customize-hook=upload {} /setup.sh", setup.display()))
            .arg("--customize-hook=chroot \"$1\" sh /setup.sh")
            .arg("--customize-hook=rm \"$1/setup.sh\"")
            .arg(SUITE)
            .arg(&tree)
            .watch(|line| {
                if let Some(step) = line.strip_prefix("I: ") {
                    progress(step);
                }
            })?;
        progress("writing the disk");
        let disk = work.join("disk");
        let made = File::create(&disk).and_then(|made| made.set_len(DISK));
        made.map_err(file(&disk))?;
        Tool::new("mke2fs")
            .args(["-q", "-t", "ext4", "-L", LABEL, "-E", &format!("offset={START}"), "-d"])
            .arg(&tree)
            .arg(&disk)
            .arg(format!("{}k", (DISK - START) >> 10))
            .run()?;
        let grub = tree.join("usr/lib/plimsoll");
        boot_loader(&disk, &read(&grub.join("boot.img"))?, &read(&grub.join("core.img"))?)?;
        let part = self.path.with_extension("part.qcow2");
        Tool::new("qemu-img").args(["convert", "-q", "-O", "qcow2"]).arg(&disk).arg(&part).run()?;
        std::fs::rename(&part, &self.path).map_err(file(&self.path))
    }
}

/// Writes GRUB where a BIOS looks for it, and a table with one partition. GRUB's first sector loads what follows it on the disk, as
/// `grub-mkimage` makes it (GRUB's manual, "BIOS installation").
fn boot_loader(disk: &Path, boot: &[u8], core: &[u8]) -> Result<(), HostError> {
    let code = boot.get(..BOOT_CODE);
    let Some(code) = code.filter(|_| SECTOR + core.len() as u64 <= START) else {
        return Err(HostError::Other("GRUB does not fit before the partition".to_owned()));
    };
    let sectors = |bytes: u64| u32::try_from(bytes / SECTOR).unwrap_or(u32::MAX).to_le_bytes();
    // Active, Linux, and addresses of cylinders that nobody goes by.
    let mut entry = vec![0x80, 0xFE, 0xFF, 0xFF, 0x83, 0xFE, 0xFF, 0xFF];
    entry.extend(sectors(START));
    entry.extend(sectors(DISK - START));
    entry.extend([0; 48]);
    entry.extend([0x55, 0xAA]);
    let written = OpenOptions::new().write(true).open(disk).and_then(|mut out| {
        out.write_all(code)?;
        out.seek(SeekFrom::Start(TABLE))?;
        out.write_all(&entry)?;
        out.write_all(core)
    });
    written.map_err(file(disk))
}

#[expect(clippy::disallowed_methods, reason = "an image is made of files")]
fn write(path: &Path, text: &str) -> Result<(), HostError> {
    std::fs::write(path, text).map_err(file(path))
}

#[expect(clippy::disallowed_methods, reason = "an image is made of files")]
fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    std::fs::read(path).map_err(file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_boots_from_its_first_sectors_and_has_one_partition() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("disk");
        File::create(&disk).unwrap().set_len(4 * MIB).unwrap();
        boot_loader(&disk, &[1; 512], &[2; 700]).unwrap();
        let bytes = read(&disk).unwrap();
        assert_eq!((bytes[0], bytes[439], bytes[440]), (1, 1, 0), "no more than the code");
        assert_eq!((bytes[446], bytes[450], &bytes[454..458]), (0x80, 0x83, &2048u32.to_le_bytes()[..]));
        assert_eq!((&bytes[510..512], bytes[512], bytes[1211], bytes[1212]), (&[0x55, 0xAA][..], 2, 2, 0));
        assert!(boot_loader(&disk, &[1; 512], &vec![2; 2 << 20]).is_err(), "the partition stays whole");
    }
}
