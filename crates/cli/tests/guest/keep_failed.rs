//! `on_failure: keep`: a release that fails stays for somebody to look at, until a rollback or the next deploy.

use crate::made::Site;

fn said(site: &Site, args: &[&str]) -> (String, Option<i32>) {
    let output = site.run(args);
    let text = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    (text, output.status.code())
}

#[test]
fn a_release_that_fails_stays_until_a_rollback_or_the_next_deploy() {
    let Some(site) = Site::new() else { return };
    let text = site.configuration().replace("    watch: 1s\n", "    watch: 1s\n    on_failure: keep\n");
    site.write("plimsoll.yaml", &text);
    site.ok(&["deploy", "--yes"]);
    assert_eq!(site.served().as_deref(), Some("1"));
    // It serves, and the check from outside asks for what is not there.
    site.write("web/www/version.txt", "2\n");
    site.write("plimsoll.yaml", &text.replace("/version.txt\"}]", "/absent.txt\"}]\n    deadline: 5s"));
    let (failed, code) = said(&site, &["deploy"]);
    println!("{failed}");
    assert!(code == Some(3) && failed.contains("it stays as it is (`on_failure: keep`)"), "{failed}");
    assert!(failed.contains("`plimsoll rollback 1` puts release 1 back"), "{failed}");
    assert_eq!(site.served().as_deref(), Some("2"), "the failed release is there to be looked at");
    let (status, _) = said(&site, &["status"]);
    assert!(status.contains("release 2"), "{status}");
    site.ok(&["rollback", "1"]);
    assert_eq!(site.served().as_deref(), Some("1"));
    // And the next deploy goes on from either.
    said(&site, &["deploy"]);
    assert_eq!(site.served().as_deref(), Some("2"));
    site.write("plimsoll.yaml", &text);
    let mended = site.ok(&["deploy"]);
    assert!(mended.contains("of shop serves"), "{mended}");
    assert_eq!(site.served().as_deref(), Some("2"));
    assert!(site.ok(&["deploy"]).contains("is as it should be"));
    site.close();
}
