//! A lab that is killed while its guests run.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use plimsoll_pve::api::LxcCreate;
use plimsoll_pve::property::Drive;

use crate::rig::{Rig, folder};
use crate::traces::{Marks, Traces};
use crate::{small, vm_disks};

const DATA: &str = "PLIMSOLL_TEST_DATA";
const READY: &str = "the guest runs";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other test starts it, and kills it"]
async fn a_lab_waits_to_be_killed() {
    let Some(data) = std::env::var_os(DATA) else { return };
    let Some(rig) = Rig::at(folder(), PathBuf::from(data), false).await else { return };
    let template = small::uploaded(&rig).await;
    rig.done(&LxcCreate { ostemplate: template, ..rig.container(105, 5) }).await;
    if rig.boots(105).await {
        eprintln!("{READY} in {}", rig.own("").display());
        std::thread::park();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other test starts it, and kills it"]
async fn a_lab_with_a_machine_waits_to_be_killed() {
    let Some(data) = std::env::var_os(DATA) else { return };
    let Some(rig) = Rig::with_vms(folder(), PathBuf::from(data)).await else { return };
    rig.done(&vm_disks::machine(105, Some(Drive::allocate("local-lvm", 1)))).await;
    vm_disks::on(&rig, 105).await;
    eprintln!("{READY} in {}", rig.own("").display());
    std::thread::park();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_lab_left_is_taken_away_by_the_next() {
    taken_away("killed::a_lab_waits_to_be_killed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_a_killed_lab_left_is_taken_away_by_the_next() {
    taken_away("killed::a_lab_with_a_machine_waits_to_be_killed").await;
}

/// Starts another test, kills it once its guest runs, and looks at what is left after the next start of a lab.
async fn taken_away(waiting: &str) {
    let own = folder();
    let data = own.path().join("data");
    let mut killed = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact", waiting])
        .env(DATA, &data)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(killed.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = said.inspect(|line| eprintln!("{line}"));
    let ready = said.find_map(|line| line.strip_prefix(READY)?.strip_prefix(" in ").map(PathBuf::from));
    let marks = ready.as_ref().map(|_| Marks::of(&data));
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Where guests cannot boot, the one that was started has said so.
    let (Some(theirs), Some(marks)) = (ready, marks) else { return };
    std::fs::remove_dir_all(theirs).unwrap();
    let left = Traces::of(&marks);
    assert!(!left.with("-105").is_empty() && !left.with("card").is_empty(), "{left:#?}");

    let next = Rig::at(own, data, false).await.unwrap();
    let left = Traces::of(&marks);
    assert!(left.is_empty(), "{left:#?}");
    next.close().await;
}
