//! A guest that holds data is made anew: only when somebody means it, only after a backup that was tried, and with a way back.

use std::time::Duration;

use crate::made::Site;

const SURE: [&str; 3] = ["--yes", "--name", "shop/production"];

/// What a command says on both streams, and how it ended.
fn said(site: &Site, args: &[&str]) -> (String, Option<i32>) {
    let output = site.run(args);
    let text = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    (text, output.status.code())
}

fn row(site: &Site) -> String {
    site.ok(&["exec", "web", "--", "/bin/busybox", "cat", "/data/row"]).trim().to_owned()
}

fn write(site: &Site, text: &str) {
    site.ok(&["exec", "web", "--", "/bin/busybox", "sh", "-c", &format!("echo {text} >/data/row; sync")]);
}

/// Whether the row is in the guest. A command that does not get to look, which a guest that is being backed up may refuse, says nothing of
/// that.
fn is_there(site: &Site) -> bool {
    let look = "if [ -e /data/row ]; then echo there; else echo gone; fi";
    for _ in 0..20 {
        let (text, code) = said(site, &["exec", "web", "--", "/bin/busybox", "sh", "-c", look]);
        match text.split_whitespace().next_back() {
            Some("there") => return true,
            Some("gone") => return false,
            _ => println!("the command ended with {code:?}: {text}"),
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("nobody could look");
}

fn jobs(site: &Site) -> Vec<String> {
    let client = site.node.root();
    let jobs = site.runtime.block_on(plimsoll_backup::backup_jobs(&client)).unwrap().unwrap();
    jobs.into_iter().map(|job| job.id).collect()
}

#[test]
fn a_guest_is_made_anew_after_a_backup_that_was_tried_and_the_way_back_works() {
    let Some(mut site) = Site::new() else { return };
    let text = site.configuration() + "    backup: {storage: local, schedule: daily, keep: {daily: 7}}\n";
    site.write("plimsoll.yaml", &text);
    site.grant();
    // Nobody gave the token what a backup job takes.
    let (first, code) = said(&site, &["deploy", "--yes"]);
    assert!(code == Some(0) && first.contains("warning: no backup job is made"), "{first}");
    assert!(jobs(&site).is_empty());
    write(&site, "last");
    site.administer("schedule");
    let (second, code) = said(&site, &["deploy"]);
    assert!(code == Some(0) && second.contains("add the backup job plimsoll-100"), "{second}");
    let (third, _) = said(&site, &["deploy"]);
    assert!(!third.contains("backup job") && third.contains("is as it should be"), "{third}");
    assert_eq!(jobs(&site), ["plimsoll-100"]);

    site.write("plimsoll.yaml", &text.replace("disk: 8GiB", "disk: 6GiB"));
    let (refused, code) = said(&site, &["deploy", "--yes"]);
    assert!(code == Some(2) && refused.contains("deploy --replace"), "{refused}");
    for wrong in [&["--yes"][..], &[], &["--yes", "--name", "shop"]] {
        let (refused, code) = said(&site, &[&["deploy", "--replace"], wrong].concat());
        assert!(code == Some(2) && refused.contains("nothing was done"), "{refused}");
    }
    // What would stop the new guest is found before the old one is touched.
    let image = site.node.lab.templates().remove(0);
    site.write("plimsoll.yaml", &text.replace(&image, "local:vztmpl/absent.tar.zst"));
    let (refused, code) = said(&site, &[&["deploy", "--replace"], SURE.as_slice()].concat());
    println!("{refused}");
    assert!(code != Some(0) && !refused.contains("stopping guest"), "{refused}");
    assert_eq!((site.served().as_deref(), row(&site).as_str()), (Some("1"), "last"));

    site.write("plimsoll.yaml", &text.replace("disk: 8GiB", "disk: 6GiB"));
    let before = site.pinned();
    let (done, code) = said(&site, &[&["deploy", "--replace"], SURE.as_slice()].concat());
    println!("{done}");
    assert!(
        code == Some(0) && done.contains("the volumes `data`") && done.contains("the backup boots"),
        "{done}"
    );
    assert!(done.contains("release 1 of shop serves"), "{done}");
    assert_eq!(site.served().as_deref(), Some("1"));
    assert!(site.config(100).text("rootfs").unwrap().contains("size=6G"));
    assert_ne!(site.pinned(), before, "a guest of its own");
    let empty = site.run(&["exec", "web", "--", "/bin/busybox", "cat", "/data/row"]);
    assert!(!empty.status.success(), "nothing came along");
    assert_eq!(jobs(&site), ["plimsoll-100"], "it went with the guest and is there again");

    // The way back that was printed.
    let back = done.lines().find(|line| line.contains("brings it back")).unwrap();
    let back = back.split('`').nth(1).unwrap().strip_prefix("plimsoll ").unwrap();
    site.write("plimsoll.yaml", &text);
    site.ok(&back.split(' ').collect::<Vec<_>>());
    assert_eq!((site.served().as_deref(), row(&site).as_str()), (Some("1"), "last"));
    assert_eq!(site.pinned(), before);
    assert!(site.config(100).text("rootfs").unwrap().contains("size=8G"));
    site.close();
}

#[test]
fn a_client_killed_while_it_replaces_leaves_the_data_in_the_guest_or_in_a_backup() {
    let Some(mut site) = Site::new() else { return };
    let text = site.configuration() + "    backup: {storage: local}\n";
    site.write("plimsoll.yaml", &text);
    site.grant();
    site.ok(&["deploy", "--yes"]);
    write(&site, "kept");
    for pause in [300, 1_500, 3_000, 5_000, 8_000] {
        let mut killed = site.spawn(&[&["deploy", "--replace"], SURE.as_slice()].concat());
        std::thread::sleep(Duration::from_millis(pause));
        drop(killed.kill());
        killed.wait().unwrap();
        site.ok(&["deploy", "--yes"]);
        assert_eq!(site.served().as_deref(), Some("1"), "after {pause} ms");
        let there = is_there(&site);
        println!("after {pause} ms: data in the guest: {there}");
        if !there {
            let list = site.ok(&["backup", "list"]);
            let one = list.lines().find(|line| line.contains("before a replacement")).unwrap();
            assert!(one.contains(", protected"), "{one}");
            let volume = one.split_whitespace().find(|word| word.starts_with("local:backup/")).unwrap();
            site.ok(&[&["backup", "restore", volume, "--no-backup"], SURE.as_slice()].concat());
        }
        assert_eq!(row(&site), "kept", "after {pause} ms");
    }
    site.close();
}
