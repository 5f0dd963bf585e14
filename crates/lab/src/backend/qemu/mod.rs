//! Virtual machines by QEMU, emulated in software, in the bridge network of a lab whose containers boot by LXC.
//!
//! Each is one process of `qemu-system-x86_64` in the lab's corner of the machine, told by its monitor (QMP) and asked by the
//! guest agent inside. Disks are qcow2 files, one for each volume.

mod agent;
mod config;
mod disks;
mod monitor;
mod power;
mod socket;
mod usage;
mod vms;
mod work;

pub(super) use disks::image_size;
pub(super) use vms::Vms;

/// What virtual machines are made of, for every output that speaks of them.
pub(super) const NAME: &str = "qemu";

/// What these virtual machines cannot show.
pub(super) const LIMITS: [&str; 6] = [
    "virtual machines are emulated in software, without KVM: slow, whatever CPU model they name",
    "a virtual machine has a BIOS and disks on virtio, SCSI, SATA or IDE: no UEFI, no TPM, no device of the machine",
    "a virtual machine gets an address by DHCP only with --internet",
    "a change of a virtual machine's cards and drives counts from its next start",
    "a backup of a virtual machine is a tar archive of its disks, under the name that the node would give it",
    "a virtual machine that migrates is the same process as before, and its disks move only while it stands still",
];
