"""The life of a container and of a machine, driven by proxmoxer. Arguments: host, port, CA file, password."""

import sys
import time

from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException

host, port, authority, password = sys.argv[1:]
root = ProxmoxAPI(host, port=int(port), user="root@pam", password=password, verify_ssl=authority)
assert root.version.get()["release"] in ("8.4", "9.2")

root.access.users.post(userid="deploy@pve")
token = root.access.users("deploy@pve").token("ci").post(privsep=1)
for subject in ({"users": "deploy@pve"}, {"tokens": "deploy@pve!ci"}):
    for path in ("/vms", "/storage", "/sdn/zones/localnetwork"):
        role = {"/vms": "PVEVMAdmin", "/storage": "PVEDatastoreAdmin"}.get(path, "PVESDNUser")
        root.access.acl.put(path=path, roles=role, **subject)

node = ProxmoxAPI(
    host, port=int(port), user="deploy@pve", token_name="ci", token_value=token["value"], verify_ssl=authority
).nodes("pve1")


def wait(upid):
    for _ in range(500):
        status = node.tasks(upid).status.get()
        if status["status"] == "stopped":
            assert status["exitstatus"] == "OK", (status, node.tasks(upid).log.get())
            return
        time.sleep(0.02)
    raise AssertionError(upid)


def life(guests, vmid, disk, create):
    wait(guests.post(vmid=vmid, **create))
    guest = guests(vmid)
    before = guest.config.get()
    assert disk in before and "digest" in before
    wait(guest.status.start.post())
    assert guest.status.current.get()["status"] == "running"
    wait(guest.snapshot.post(snapname="before"))
    guest.config.put(description="changed", onboot=1)
    assert guest.config.get()["onboot"] == 1
    wait(guest.snapshot("before").rollback.post())
    assert "onboot" not in guest.config.get()
    wait(node.vzdump.post(vmid=vmid, storage="local", compress="zstd", remove=0))
    backup = node.storage("local").content.get(content="backup", vmid=vmid)[0]["volid"]
    if guest.status.current.get()["status"] == "running":
        wait(guest.status.stop.post())
    wait(guest.delete(purge=1))
    try:
        guest.config.get()
        raise AssertionError("the guest is still there")
    except ResourceException as error:
        assert error.status_code == 500 and "does not exist" in str(error), error
    return backup


backup = life(
    node.lxc,
    100,
    "rootfs",
    dict(
        ostemplate="local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst",
        hostname="app",
        unprivileged=1,
        features="nesting=1",
        rootfs="local-lvm:4",
        net0="name=eth0,bridge=vmbr0,ip=dhcp",
    ),
)
wait(node.lxc.post(vmid=100, ostemplate=backup, restore=1, storage="local-lvm"))
assert node.lxc(100).config.get()["hostname"] == "app"
wait(node.lxc(100).delete())

backup = life(
    node.qemu,
    200,
    "scsi0",
    dict(
        name="vm1",
        memory=1024,
        scsi0="local-lvm:0,import-from=local:import/debian-13-genericcloud-amd64.qcow2",
        ide2="local-lvm:cloudinit",
        net0="virtio,bridge=vmbr0",
        ipconfig0="ip=dhcp",
    ),
)
wait(node.qemu.post(vmid=200, archive=backup, storage="local-lvm"))
assert node.qemu(200).config.get()["name"] == "vm1"
wait(node.qemu(200).delete())
print("proxmoxer is content")
