//! A template of one program, for tests that need many guests and nothing in them.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_lab::host::Image;
use plimsoll_pve::{Upload, UploadSource};

use crate::rig::{NODE, Rig, cache, program};

const NAME: &str = "small_1_amd64.tar.gz";

/// Makes the template and uploads it. Answers its volume.
pub(crate) async fn uploaded(rig: &Rig) -> String {
    let root = rig.own("small");
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    for folder in ["etc", "proc", "sys", "dev", "sbin", "tmp"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let image = text(&Image::in_cache(&cache()).path);
    program("tar", &["--use-compress-program=zstd", "-xf", &image, "-C", &text(&root), "./usr/bin/busybox"]);
    for link in ["sbin/init", "usr/bin/sh"] {
        symlink("/usr/bin/busybox", root.join(link)).unwrap();
    }
    symlink("usr/bin", root.join("bin")).unwrap();
    std::fs::write(root.join("etc/inittab"), "::respawn:/usr/bin/busybox sleep 1000\n").unwrap();
    let packed = rig.own(NAME);
    program("tar", &["-czf", &text(&packed), "-C", &text(&root), "."]);
    let upload = Upload {
        node: NODE.into(),
        storage: "local".into(),
        content: "vztmpl".into(),
        filename: NAME.into(),
        checksum: None,
        source: UploadSource::File(packed),
        timeout: Duration::from_secs(20),
    };
    let upid = rig.client.upload(&upload).await.unwrap();
    rig.wait(&upid).await;
    format!("local:vztmpl/{NAME}")
}
