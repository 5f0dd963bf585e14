//! Guests that are clones of a template: the first one leaves it, others are made from it, each with a host key of its own.

use std::time::{Duration, Instant};

use plimsoll_pve::api::Power;

use crate::made::Site;

/// The same target, cloned, and another one beside it.
fn configuration(site: &Site, how: &str) -> String {
    let text =
        site.configuration().replace("storage: local-lvm\n", &format!("storage: local-lvm\n      {how}\n"));
    let (head, production) = text.split_once("  production:\n").unwrap();
    let address = site.address();
    let other = format!("{}.10", address.rsplit_once('.').unwrap().0);
    let staging = production.replace(&format!("{address}/"), &format!("{other}/"));
    format!("{head}  production:\n{production}  staging:\n{staging}")
}

fn templates(site: &Site) -> Vec<u32> {
    let all = site.guests().into_iter().map(|(vmid, _)| vmid);
    all.filter(|vmid| site.config(*vmid).flag("template") == Some(true)).collect()
}

#[test]
fn the_first_guest_leaves_a_template_and_others_are_clones_of_it() {
    let Some(mut site) = Site::new() else { return };
    site.write("plimsoll.yaml", &configuration(&site, "clone: linked"));
    site.grant();
    let plan = site.ok(&["plan"]);
    assert!(
        plan.contains("make the template `plimsoll-template-") && plan.contains("as a linked clone"),
        "{plan}"
    );
    let begun = Instant::now();
    let first = site.ok(&["deploy", "--target", "production", "--yes"]);
    let took = begun.elapsed();
    println!("the first guest, with its template: {took:?}\n{first}");
    assert_eq!(site.served().as_deref(), Some("1"));
    assert_eq!(site.guests(), [(100, Power::Stopped), (101, Power::Running)]);
    assert_eq!(templates(&site), [100]);
    let config = site.config(101);
    assert!(config.text("rootfs").unwrap().contains("size=8G"), "{config:?}");
    assert!(config.text("net0").unwrap().contains(&format!("ip={}/24", site.address())));
    assert_eq!(
        (config.number("memory"), config.text("hostname").as_deref()),
        (Some(1024), Some("shop-production"))
    );
    assert_ne!(site.pinned_of(101), site.pinned_of(100), "a host key of its own");
    let inside = site.guest(
        &site.pinned_of(101),
        "ls /etc/ssh; cat /etc/machine-id; docker info --format '{{.ID}}'; hostname",
    );
    assert!(!inside.contains("ssh_host_rsa") && inside.contains("shop-production"), "{inside}");
    let again = site.ok(&["deploy", "--target", "production"]);
    assert!(again.contains("is as it should be"), "{again}");

    // The second one finds the template.
    let plan = site.ok(&["plan", "--target", "staging"]);
    assert!(
        plan.contains("as a linked clone of the template 100") && !plan.contains("make the template"),
        "{plan}"
    );
    let begun = Instant::now();
    site.ok(&["deploy", "--target", "staging", "--yes"]);
    println!("the second guest, a clone: {:?}", begun.elapsed());
    assert_eq!(templates(&site), [100]);
    assert_ne!(site.pinned_of(102), site.pinned_of(101));
    assert_ne!(site.pinned_of(102), site.pinned_of(100));

    // What nobody asks for any more goes only when somebody says so.
    let list = site.ok(&["templates", "--target", "staging"]);
    assert!(list.contains("100") && list.contains("new guests of shop/staging are clones of it"), "{list}");
    assert!(site.ok(&["templates", "--target", "staging", "--prune"]).contains("nothing to take away"));
    let text = configuration(&site, "clone: full")
        .replace("      ssh_keys: [", "      user: root\n      ssh_keys: [");
    site.write("plimsoll.yaml", &text);
    let pruned = site.ok(&["templates", "--target", "staging", "--prune"]);
    assert!(pruned.contains("template 100 is gone"), "{pruned}");
    assert_eq!(templates(&site), Vec::<u32>::new());
    site.close();
}

#[test]
fn a_client_killed_while_it_makes_a_template_or_a_clone_leaves_what_the_next_one_finishes() {
    let Some(mut site) = Site::new() else { return };
    site.write("plimsoll.yaml", &configuration(&site, "clone: full"));
    site.grant();
    let deploy = ["deploy", "--target", "production", "--yes"];
    for pause in [1_000, 2_500, 4_000, 5_500, 7_000, 9_000] {
        let mut killed = site.spawn(&deploy);
        std::thread::sleep(Duration::from_millis(pause));
        drop(killed.kill());
        killed.wait().unwrap();
    }
    site.ok(&deploy);
    assert_eq!(site.served().as_deref(), Some("1"));
    assert_eq!((templates(&site).len(), site.guests().len()), (1, 2));
    site.close();
}
