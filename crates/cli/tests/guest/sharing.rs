//! A person with a fresh clone beside the first one, and another app on the same node.

use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_pve::api::Power;

use crate::made::{Person, Site};

#[expect(clippy::disallowed_methods, reason = "a test starts programs")]
fn done(program: &str, args: &[&str], folder: &Path) {
    let output = Command::new(program).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn git(args: &[&str], folder: &Path) {
    let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    done("git", &[who.as_slice(), args].concat(), folder);
}

/// A key of one's own, and its public half.
#[expect(clippy::disallowed_methods, reason = "a test reads a file")]
fn key(path: &Path) -> (PathBuf, String) {
    let folder = path.parent().unwrap();
    std::fs::create_dir_all(folder).unwrap();
    done("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", path.to_str().unwrap()], folder);
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    (path.to_owned(), public.trim().to_owned())
}

/// What is so for everybody once the engine itself has seen that the app is healthy: free space changes by itself.
fn status(site: &Site, person: &Person) -> serde_json::Value {
    loop {
        let said = site.ok_of(person, &["status", "--format", "json"]);
        if !said.contains("starting") {
            let mut status: serde_json::Value = serde_json::from_str(&said).unwrap();
            status.as_object_mut().unwrap().remove("free_bytes");
            return status;
        }
    }
}

#[test]
fn a_second_person_and_a_second_app_disturb_nobody() {
    let Some(site) = Site::new() else { return };
    let own = site.node.own.path().to_owned();
    let (identity, public) = key(&own.join("other/id"));
    // A token reaches the guests of its pool; without a pool it would reach all of the node.
    let text = site.configuration().replace("ssh_keys: [", &format!("ssh_keys: [\"{public}\", "));
    let of = |app: &str, address: &str| {
        text.replace("app: shop", &format!("app: {app}"))
            .replace("node: pve1}", &format!("node: pve1, pool: {app}}}"))
            .replace(&format!("{}/", site.address()), &format!("{address}/"))
    };
    site.write("plimsoll.yaml", &of("store", &site.address()));
    let nobody = Person { token: String::new(), ..site.first() };
    let first = Person { token: site.token_of(&nobody), ..nobody.clone() };
    git(&["init", "-q"], &first.folder);
    git(&["add", "."], &first.folder);
    git(&["commit", "-q", "-m", "The store"], &first.folder);
    assert!(site.ok_of(&first, &["deploy", "--yes"]).contains("release 1 of store serves"));

    // The second person has a clone, a home and a key of their own, and nothing else from the first.
    git(&["clone", "-q", "checkout", "clone"], &own);
    let second = Person { folder: own.join("clone"), home: "other".to_owned(), identity, ..first.clone() };
    assert_eq!(status(&site, &second), status(&site, &first));
    assert_eq!(site.ok_of(&second, &["releases"]), site.ok_of(&first, &["releases"]));
    site.write_of(&second, "web/www/version.txt", "2\n");
    assert!(site.ok_of(&second, &["deploy"]).contains("release 2 of store serves"));
    assert_eq!(site.served().as_deref(), Some("2"));
    assert_eq!(status(&site, &first)["release"], 2);
    site.ok_of(&second, &["rollback"]);
    assert_eq!(site.served().as_deref(), Some("1"));
    let store = status(&site, &first);
    assert_eq!(store, status(&site, &second));

    // Another app on the same node, with a token of its own.
    let address = format!("{}.10", site.address().rsplit_once('.').unwrap().0);
    let mut blog = Person { folder: own.join("blog"), home: "blog".to_owned(), ..nobody };
    done("cp", &["-r", "checkout", "blog"], &own);
    site.write_of(&blog, "plimsoll.yaml", &of("blog", &address));
    site.write_of(&blog, "web/www/version.txt", "blog\n");
    blog.token = site.token_of(&blog);
    assert_ne!(blog.token, first.token);
    assert!(site.ok_of(&blog, &["deploy", "--yes"]).contains("release 1 of blog serves"));
    assert_eq!(site.served_at(&address).as_deref(), Some("blog"));
    assert_eq!((site.served().as_deref(), status(&site, &first)), (Some("1"), store.clone()));
    assert_eq!(site.guests(), [(100, Power::Running), (101, Power::Running)]);

    // What one app does is nothing to the other, and the token of one does not reach the guest of the other.
    site.ok_of(&blog, &["stop"]);
    assert_eq!((site.served_at(&address), site.served().as_deref()), (None, Some("1")));
    let stranger = Person { token: first.token.clone(), ..blog.clone() };
    let refused = site.run_of(&stranger, &["destroy", "--yes", "--name", "blog/production", "--no-backup"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("/pool/blog"), "{refused:?}");
    assert_eq!(site.guests().len(), 2);
    site.ok_of(&blog, &["destroy", "--yes", "--name", "blog/production", "--no-backup"]);
    assert_eq!((site.guests(), status(&site, &first)), (vec![(100, Power::Running)], store));
    site.close();
}
