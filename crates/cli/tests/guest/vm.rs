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
