//! A virtual machine that Plimsoll makes itself, emulated in software: from an empty node to an app that serves.

use std::time::Instant;

use plimsoll_pve::api::{GuestKind, Power};

use crate::made::Site;

/// Probes that a machine emulated in software has time for.
const DOCKERFILE: &str = r#"FROM scratch
COPY . /
ENV PATH=/bin
HEALTHCHECK --interval=20s --start-interval=5s --start-period=60s --timeout=20s CMD ["/bin/busybox", "wget", "-q", "-O-", "http://127.0.0.1:8080/version.txt"]
CMD ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
"#;

#[test]
#[ignore = "takes ten minutes: a virtual machine is emulated in software"]
fn one_command_makes_a_virtual_machine_with_an_app_that_serves() {
    let Some(site) = Site::of(GuestKind::Qemu) else { return };
    site.write("web/Dockerfile", DOCKERFILE);
    let begin = Instant::now();
    let said = |what: &str| println!("{what} after {} s", begin.elapsed().as_secs());
    let plan = site.ok(&["plan"]);
    assert!(plan.contains("create virtual machine 100 `shop-production`"), "{plan}");
    assert!(site.guests().is_empty(), "a plan changes nothing");

    assert!(site.ok(&["deploy", "--yes"]).contains("release 1 of shop serves"));
    said("release 1 serves");
    assert_eq!(site.served().as_deref(), Some("1"));
    let config = site.config(100);
    assert_eq!(config.text("ide2").as_deref(), Some("none,media=cdrom"), "its seed is gone");

    // The second time nothing is made and nothing is changed.
    assert!(site.ok(&["deploy"]).contains("is as it should be"));
    assert_eq!(site.guests(), [(100, Power::Running)]);
    assert_eq!(site.config(100), config);
    said("nothing is left to do");

    site.write("web/www/version.txt", "2\n");
    assert!(site.ok(&["deploy"]).contains("release 2 of shop serves"));
    assert_eq!(site.served().as_deref(), Some("2"));
    said("release 2 serves");

    let doctor = site.ok(&["doctor"]);
    for check in ["guest", "ssh", "engine", "space"] {
        assert!(doctor.lines().any(|line| line.split_whitespace().take(2).eq(["ok", check])), "{doctor}");
    }
    site.close();
    said("all is gone");
}

#[test]
#[ignore = "takes a quarter of an hour: two virtual machines are emulated in software, one after the other"]
fn a_virtual_machine_is_a_clone_of_the_template_that_the_first_one_leaves() {
    let Some(mut site) = Site::of(GuestKind::Qemu) else { return };
    site.write("web/Dockerfile", DOCKERFILE);
    let text = site.configuration();
    site.write(
        "plimsoll.yaml",
        &text.replace("storage: local-lvm\n", "storage: local-lvm\n      clone: linked\n"),
    );
    site.grant();
    let begin = Instant::now();
    let said = |what: &str| println!("{what} after {} s", begin.elapsed().as_secs());
    let plan = site.ok(&["plan"]);
    assert!(plan.contains("create virtual machine 101 as a linked clone of the template"), "{plan}");
    println!("{plan}");

    assert!(site.ok(&["deploy", "--yes"]).contains("release 1 of shop serves"));
    said("release 1 serves from a clone");
    assert_eq!(site.served().as_deref(), Some("1"));
    assert_eq!(site.guests(), [(100, Power::Stopped), (101, Power::Running)]);
    assert_eq!(site.config(100).flag("template"), Some(true));
    let config = site.config(101);
    assert_eq!(config.text("ide2").as_deref(), Some("none,media=cdrom"), "its seed is gone");
    assert_eq!(config.text("name").as_deref(), Some("shop-production"));
    let pin = site.pinned_of(101);
    assert_ne!(pin, site.pinned_of(100), "a host key of its own");
    let inside = site.guest(
        &pin,
        "hostname; cat /etc/machine-id; ls /etc/cloud/cloud-init.disabled; df --output=size -BM / | tail -1",
    );
    let lines: Vec<&str> = inside.split_whitespace().collect();
    assert_eq!((lines[0], lines[2]), ("shop-production", "/etc/cloud/cloud-init.disabled"), "{inside}");
    // Systems of machines go by the firmware's number.
    let firmware = site.config(100).text("smbios1").unwrap().replace('-', "");
    assert!(lines[1].len() == 32 && !firmware.contains(lines[1]), "{inside} is not {firmware}");
    let mib: u64 = lines[3].trim_end_matches('M').parse().unwrap();
    assert!(mib > 6000, "its file system follows its disk of 8 GiB: {inside}");

    // Its seed is gone: a clone that starts again must stay who it is.
    site.power_off(101);
    site.ok(&["deploy"]);
    assert_eq!(site.served().as_deref(), Some("1"));
    assert_eq!(site.pinned_of(101), pin);
    assert_eq!(site.config(101).text("net0"), config.text("net0"));
    said("it serves again after its power was cut");
    site.close();
    said("all is gone");
}
