//! Guests that reach what this machine reaches, when that is asked for.

use std::net::ToSocketAddrs as _;

use crate::rig::{Rig, folder, skip};
use crate::traces::{Marks, Traces};

/// A name that a machine with Debian's packages knows.
const NAME: &str = "deb.debian.org";

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_knows_the_names_that_the_machine_knows_only_when_that_is_asked_for() {
    if (NAME, 80).to_socket_addrs().is_err() {
        skip("this machine does not know deb.debian.org; to enable: connect it to the internet");
        return;
    }
    if !["/usr/bin", "/bin", "/usr/local/bin"]
        .iter()
        .any(|bin| std::path::Path::new(bin).join("slirp4netns").exists())
    {
        skip("guests that reach the internet need slirp4netns; to enable: apt-get install slirp4netns");
        return;
    }
    for internet in [true, false] {
        let own = folder();
        let data = own.path().join("data");
        let Some(rig) = Rig::at(own, data, internet).await else { return };
        let marks = Marks::of(&rig.data);
        rig.done(&rig.container(105, 5)).await;
        if !rig.boots(105).await {
            return;
        }
        let said = rig.ssh(
            5,
            &format!(
                "timeout 10 getent hosts {NAME} || echo unknown; curl -sI -m 10 http://{NAME}/ | head -n 1"
            ),
        );
        assert_eq!(internet, said.contains("HTTP/1.1"), "{said}");
        assert_eq!(!internet, said.contains("unknown"), "{said}");
        assert_eq!(internet, !Traces::of(&marks).with("slirp4netns").is_empty());
        rig.close().await;
        let left = Traces::of(&marks);
        assert!(left.is_empty(), "{left:#?}");
    }
}
