//! Guests in containers of a Docker engine. The engine is the one that `docker` finds.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_lab::docker::{Docker, Place, Reach};
use plimsoll_lab::host::{Image, examine};
use plimsoll_pve::api::*;
use plimsoll_pve::property::LxcNet;
use plimsoll_pve::{Upid, Vmid};

use crate::rig::{Rig, cache, folder, note, program};
use crate::{KIND, deleted, node, off, rollback, snapshot};

const DATA: &str = "PLIMSOLL_TEST_DOCKER_DATA";
const READY: &str = "the guest in Docker runs";
const VMID: Vmid = Vmid(105);

/// A lab with guests in Docker, and its label; `None`, said in words, where there is no engine.
async fn lab(own: tempfile::TempDir, data: PathBuf, reach: Reach) -> Option<(Rig, String)> {
    let docker = examine(&cache()).into_iter().find(|one| one.backend == "docker").unwrap();
    if !docker.is_ready() {
        let missing: Vec<&str> =
            docker.checks.iter().filter(|check| !check.found).map(|check| check.what.as_str()).collect();
        let why =
            format!("docker: {} missing; to enable: {}", missing.join(", "), docker.enable().join("; "));
        passed_over(&why);
        return None;
    }
    let image = Image::in_cache(&cache()).path;
    let place = Place { data: data.clone(), image, subnet: None, internet: false, reach };
    let backend = match Docker::open(&place) {
        Ok(backend) => backend,
        Err(error) => {
            passed_over(&format!("docker: {error}"));
            return None;
        }
    };
    let label = backend.label().to_owned();
    Some((Rig::of(own, data, Box::new(backend)).await, label))
}

/// Says why a test does not run. Where there is known to be an engine, that is a failure.
fn passed_over(why: &str) {
    assert!(std::env::var_os("PLIMSOLL_LAB_DOCKER_REQUIRED").is_none(), "an engine must answer here: {why}");
    note(why);
}

/// Everything of a lab in the engine.
fn traces(label: &str) -> Vec<String> {
    let filter = format!("label=plimsoll.lab={label}");
    let kinds: [(&[&str], &str); 3] = [
        (&["ps", "--all"], "{{.Names}}"),
        (&["volume", "ls"], "{{.Name}}"),
        (&["network", "ls"], "{{.Name}}"),
    ];
    let found = kinds.iter().flat_map(|(words, format)| {
        let words: Vec<&str> =
            words.iter().copied().chain(["--filter", &filter, "--format", format]).collect();
        let said = program("docker", &words);
        said.lines().map(|name| format!("{} {name}", words[0])).collect::<Vec<_>>()
    });
    found.collect()
}

struct Clock(Instant);

impl Clock {
    fn tell(&mut self, what: &str) {
        eprintln!("{what}: {:.1} s", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
    }
}

async fn started(rig: &Rig, vmid: Vmid) {
    rig.done(&PowerOn { node: node(), kind: KIND, vmid }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_in_docker_boots_with_an_engine_and_its_snapshot_and_its_backup_hold_its_files() {
    let own = folder();
    let data = own.path().join("data");
    let mut clock = Clock(Instant::now());
    let Some((rig, label)) = lab(own, data.clone(), Reach::Detected).await else { return };
    clock.tell("a lab with its image and network");
    rig.done(&rig.container(105, 5)).await;
    clock.tell("a guest is made");
    started(&rig, VMID).await;
    if !rig_is_near(&rig) {
        passed_over(
            "docker: the engine is in a virtual machine, and its guests are reached by published ports only",
        );
        return;
    }
    rig.ssh(5, "true");
    clock.tell("it starts and answers over SSH");
    assert_eq!(rig.ssh(5, "hostname; id -u; systemctl is-system-running --wait"), "guest105\n0\nrunning");
    assert!(rig.ssh(5, "docker info --format '{{.Driver}}'").contains("overlay"));
    clock.tell("its engine answers");
    let own_address = rig.ssh(5, "ip -4 -o addr show eth0; ip route show default");
    assert!(own_address.contains(&format!("{}/24", rig.address(5))), "{own_address}");
    assert!(own_address.contains(&format!("default via {}", rig.network.gateway)), "{own_address}");
    assert_eq!(
        rig.ssh(5, "ls -A /dev | grep -cE '^(vda|sda|kvm|mem)$' || true"),
        "0",
        "no devices of the machine"
    );
    assert_eq!(
        rig.ssh(5, "ls /guest /usr/../run/usr 2>/dev/null | wc -l"),
        "0",
        "nothing of the image is left"
    );

    // Layers of the engine in the guest are part of what is kept.
    rig.ssh(5, "tar -cf - -C /usr/bin busybox | docker import --change 'ENTRYPOINT [\"/busybox\"]' - tiny");
    rig.ssh(5, "docker run --rm --network host -v state:/state tiny sh -c 'echo one > /state/file'");
    rig.ssh(5, "echo one > /root/state && sync");
    clock.tell("a container runs in it");
    rig.done(&snapshot(VMID)).await;
    clock.tell("a snapshot while it runs");
    rig.ssh(5, "echo two > /root/state; docker volume rm state; docker image rm tiny");
    clock = Clock(Instant::now());
    rig.done(&rollback(VMID, true)).await;
    let read = "cat /root/state; docker run --rm -v state:/state tiny cat /state/file";
    assert_eq!(rig.ssh(5, read), "one\none", "the disk is what it was");
    clock.tell("a rollback until SSH and its engine answer");

    let mut status = rig.client.call(&GetStatus { node: node(), kind: KIND, vmid: VMID }).await.unwrap();
    for _ in 0..200 {
        if status.disk.is_some_and(|bytes| bytes != 600 << 20)
            && status.netin.is_some_and(|bytes| bytes > 1000)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        status = rig.client.call(&GetStatus { node: node(), kind: KIND, vmid: VMID }).await.unwrap();
    }
    assert!((10..1500).contains(&(status.mem.unwrap() >> 20)), "{status:?}");
    assert!(status.netin.unwrap() > 1000, "it has talked: {status:?}");
    assert!((100..3000).contains(&(status.disk.unwrap() >> 20)), "{status:?}");

    clock = Clock(Instant::now());
    let before = rig.ssh(5, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1");
    rig.done(&Reboot { node: node(), kind: KIND, vmid: VMID, timeout: None }).await;
    assert_ne!(rig.ssh(5, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1"), before);
    clock.tell("a reboot until SSH answers");

    let dump = Vzdump {
        node: node(),
        vmid: Some(VMID.to_string()),
        storage: Some("local".into()),
        compress: Some("zstd".into()),
        remove: Some(false),
        ..Vzdump::default()
    };
    let upid: Upid = rig.client.call(&dump).await.unwrap().parse().unwrap();
    rig.wait(&upid).await;
    clock.tell("a backup while it runs");
    let content = Some("backup".into());
    let held = GetContent { node: node(), storage: "local".into(), content, vmid: Some(VMID) };
    let backup = rig.client.call(&held).await.unwrap().remove(0);
    assert!(backup.size.unwrap() > 50 << 20, "a backup is as large as its archive: {backup:?}");
    rig.done(&off(VMID)).await;
    rig.done(&deleted(VMID)).await;
    assert!(traces(&label).iter().all(|trace| !trace.ends_with("-105")), "{:?}", traces(&label));
    clock = Clock(Instant::now());
    let net = format!("name=eth0,bridge=vmbr0,ip={}/24,gw={}", rig.address(6), rig.network.gateway);
    let restore = LxcCreate {
        node: node(),
        vmid: Vmid(106),
        ostemplate: backup.volid,
        restore: Some(true),
        storage: Some("local-lvm".into()),
        nets: [(0, net.parse::<LxcNet>().unwrap())].into(),
        ..LxcCreate::default()
    };
    rig.done(&restore).await;
    clock.tell("a restore");
    started(&rig, Vmid(106)).await;
    assert_eq!(rig.ssh(6, read), "one\none", "files and layers are what they were");
    assert_eq!(traces(&label).len(), 3, "a container, a volume, a network: {:?}", traces(&label));
    clock = Clock(Instant::now());
    drop(rig.close().await);
    clock.tell("the lab is gone");
    assert_eq!(traces(&label), [""; 0]);
    assert!(!data.join(&label).exists());
}

fn rig_is_near(rig: &Rig) -> bool {
    std::net::UdpSocket::bind((rig.network.gateway.as_str(), 0)).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_in_docker_is_reached_at_a_published_port_where_it_has_no_address_here() {
    let own = folder();
    let data = own.path().join("data");
    let Some((mut rig, label)) = lab(own, data, Reach::Published).await else { return };
    rig.done(&rig.container(105, 5)).await;
    started(&rig, VMID).await;
    let said: Vec<String> = rig.lab.logs().into_iter().flat_map(|(_, _, lines)| lines).collect();
    let door = said.iter().find_map(|line| line.split(" is published at ").nth(1)).unwrap().to_owned();
    assert!(door.starts_with("127.0.0.1:"), "{door}");
    let shown = rig.lab.summary();
    assert_eq!(shown.published, [(105, door.clone())], "the state of the lab tells it, too");
    rig.door = Some(door);
    assert_eq!(rig.ssh(5, "hostname"), "guest105");
    rig.close().await;
    assert_eq!(traces(&label), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other test starts it, and kills it"]
async fn a_lab_with_docker_waits_to_be_killed() {
    let Some(data) = std::env::var_os(DATA) else { return };
    let Some((rig, label)) = lab(folder(), PathBuf::from(data), Reach::Detected).await else { return };
    rig.done(&rig.container(105, 5)).await;
    started(&rig, VMID).await;
    eprintln!("{READY} as {label} in {}", rig.own("").display());
    std::thread::park();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_lab_left_in_docker_is_taken_away_by_the_next_and_what_lives_is_not() {
    let own = folder();
    let data = own.path().join("data");
    let mut killed = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact", "docker::a_lab_with_docker_waits_to_be_killed"])
        .env(DATA, &data)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(killed.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = said.inspect(|line| eprintln!("{line}"));
    let ready = said.find_map(|line| line.strip_prefix(READY)?.strip_prefix(" as ").map(str::to_owned));
    let Some(ready) = ready else {
        // Where there is no engine, the one that was started has said so.
        killed.wait().unwrap();
        return;
    };
    let (label, theirs) = ready.split_once(" in ").unwrap();
    // A lab beside one that lives leaves it alone.
    let other = folder();
    let (beside, _) = lab(other, data.clone(), Reach::Detected).await.unwrap();
    assert_eq!(traces(label).len(), 3, "{:?}", traces(label));
    drop(beside.close().await);
    killed.kill().unwrap();
    killed.wait().unwrap();
    std::fs::remove_dir_all(theirs).unwrap();
    assert_eq!(traces(label).len(), 3, "what was killed is still there: {:?}", traces(label));
    let (next, own_label) = lab(own, data.clone(), Reach::Detected).await.unwrap();
    assert_eq!(traces(label), [""; 0]);
    assert!(!data.join(label).exists());
    next.close().await;
    assert_eq!(traces(&own_label), [""; 0]);
}
