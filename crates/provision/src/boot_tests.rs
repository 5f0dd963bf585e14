//! A machine that really boots from a seed of ours, where the tester has an emulator and a disk:
//!
//! `PLIMSOLL_TEST_QEMU` is the emulator, `PLIMSOLL_TEST_MACHINE` a folder with `disk.raw` (Debian with cloud-init, its root file
//! system labelled `vmroot`), `vmlinuz` and `initrd`. It is emulated in software, which takes minutes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_config::{Address, NewGuest};
use plimsoll_pve::Vmid;
use plimsoll_remote::{Destination, Input, Job, KeyPair, OpenSsh, Pin, RemoteError};

use crate::plan::tests::wanted;
use crate::{Wanted, prepare, seed};

/// Ended with the test.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn given(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "starts the emulator of a test")]
fn boot(qemu: &Path, parts: &Path, own: &Path, card: &str, port: u16) -> Machine {
    let file = |path: &Path, more: &str| format!("file={},{more}", path.display());
    let child = Command::new(qemu)
        .args([
            "-machine",
            "q35",
            "-accel",
            "tcg,thread=multi,tb-size=512",
            "-cpu",
            "max",
            "-smp",
            "2",
            "-m",
            "1536",
        ])
        .arg("-kernel")
        .arg(parts.join("vmlinuz"))
        .arg("-initrd")
        .arg(parts.join("initrd"))
        .args(["-append", "root=LABEL=vmroot rw console=ttyS0 quiet mitigations=off"])
        .args(["-drive", &file(&parts.join("disk.raw"), "if=virtio,format=raw,snapshot=on,cache=unsafe")])
        .args(["-drive", &file(&own.join("seed.iso"), "media=cdrom,format=raw,readonly=on")])
        .args(["-netdev", &format!("user,id=n0,hostfwd=tcp:127.0.0.1:{port}-:22")])
        .args(["-device", &format!("virtio-net-pci,netdev=n0,mac={card}"), "-device", "virtio-rng-pci"])
        .args([
            "-display",
            "none",
            "-no-reboot",
            "-serial",
            &format!("file:{}", own.join("console").display()),
        ])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    Machine(child)
}

async fn connect(machine: &mut Machine, place: &Destination, own: &Path, key: &str) -> OpenSsh {
    let begun = Instant::now();
    loop {
        assert_eq!(machine.0.try_wait().unwrap(), None, "the emulator has ended");
        let place = Destination { pin: Pin::parse(key).unwrap(), ..place.clone() };
        match OpenSsh::connect(place, &own.join("ssh")).await {
            Ok(ssh) => return ssh,
            Err(error) if begun.elapsed() > Duration::from_secs(900) => panic!("{error}"),
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "reads the key of a test")]
async fn a_machine_boots_from_its_seed_and_shows_the_key_that_was_made_for_it() {
    let (Some(qemu), Some(parts)) = (given("PLIMSOLL_TEST_QEMU"), given("PLIMSOLL_TEST_MACHINE")) else {
        return;
    };
    let own = tempfile::tempdir().unwrap();
    let client = KeyPair::generate(&own.path().join("client")).await.unwrap();
    let identity = own.path().join("id");
    std::fs::write(&identity, &client.private).unwrap();
    std::fs::set_permissions(&identity, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();

    // What the emulator's own network expects.
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let mut guest = NewGuest { user: "plimsoll".to_owned(), ..wanted().guest };
    guest.network.address = Address::Fixed { ip: ip("10.0.2.15"), prefix: 24 };
    guest.network.gateway = Some(ip("10.0.2.2"));
    guest.network.dns = vec![ip("10.0.2.3")];
    let wanted = Wanted { guest, keys: vec![client.public.to_string()], ..wanted() };
    let (vmid, first) = (Vmid(103), KeyPair::generate(&own.path().join("host")).await.unwrap());
    std::fs::write(own.path().join("seed.iso"), seed::image(&wanted, vmid, &first)).unwrap();

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let begun = Instant::now();
    let mut machine = boot(&qemu, &parts, own.path(), &seed::card(&wanted, vmid), port);
    let place = Destination {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        user: Some("plimsoll".to_owned()),
        identity: Some(identity),
        pin: Pin::Key(first.public.clone()),
    };
    let ssh = connect(&mut machine, &place, own.path(), &first.public.to_string()).await;
    println!("logged in after {} s", begun.elapsed().as_secs());
    let ask = async |ssh: &OpenSsh, script: &str| {
        let job = Job::new("the test", script).as_root().limit(Duration::from_secs(600));
        ssh.run(job).await.unwrap().success().unwrap().text().trim().to_owned()
    };
    assert_eq!(ask(&ssh, "hostname; cat /var/lib/plimsoll-guest/seeded").await, "shop-production\n1");

    // Docker Engine comes from the distribution's packages, so this needs a network.
    if given("PLIMSOLL_TEST_MACHINE_OFFLINE").is_none() {
        let keys = Input::Bytes(wanted.keys.join("\n").into_bytes());
        let job = Job::new("setting up", prepare::SCRIPT).arg("plimsoll").arg("exact").input(keys).as_root();
        let said = ssh.run(job.limit(Duration::from_secs(1800))).await.unwrap().success().unwrap().text();
        assert!(said.contains("@ready "), "{said}");
        println!("set up after {} s: {}", begun.elapsed().as_secs(), said.lines().last().unwrap_or_default());
        assert_eq!(ask(&ssh, "ls /etc/cloud/cloud-init.disabled").await, "/etc/cloud/cloud-init.disabled");
    }

    // The seed's key is worth nothing once the machine has one of its own.
    let next = ask(&ssh, &prepare::RENEW.replace("case $1 in", "case make in")).await;
    ask(&ssh, &prepare::RENEW.replace("case $1 in", "case use in")).await;
    ssh.close().await;
    connect(&mut machine, &place, own.path(), &next).await.close().await;
    let refused = loop {
        match OpenSsh::connect(place.clone(), &own.path().join("ssh")).await {
            // An emulated machine is slow to answer.
            Err(RemoteError::Unreachable { .. }) if begun.elapsed() < Duration::from_secs(1800) => {}
            other => break other,
        }
    };
    assert!(matches!(refused, Err(RemoteError::HostKeyChanged { .. })), "{refused:?}: the first key is gone");
}
