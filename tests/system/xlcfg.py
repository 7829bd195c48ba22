# SPDX-License-Identifier: MIT
"""Guest configurations, each with what xl.cfg(5) lets a PV guest say, for the
comparison of `vigil create -N` with Debian's `xl create -N`.

Every one gets the lines of BASE that it does not set itself.
"""

BASE = {"name": '"oracle"', "type": '"pv"', "kernel": '"/stubs/hello"',
        "uuid": '"8c4ec2a0-16a0-4b8c-9f2e-0a5d7f1c2e11"', "memory": "64"}

# Name of the case: its lines.  One file says as much as it can: each costs two
# programs started in a slow machine.
CASES = {
    "plain": "type = None",
    "builder": ('type = None\nbuilder = "generic"\nmemory = 512\nmaxmem = 1024\n'
                'on_poweroff = "preserve"\non_reboot = "destroy"\n'
                'on_watchdog = "restart"\non_crash = "coredump-restart"'),
    "maxmem alone": ('memory = None\nmaxmem = 256\nmaxvcpus = 3\nextra = ""\n'
                     'on_poweroff = "restart"\non_reboot = "preserve"\n'
                     'on_watchdog = "coredump-destroy"\n'
                     'on_crash = "preserve"\ntsc_mode = "default"'),
    "spelling": ('memory = "128"\nvcpus = 0x2; maxvcpus = 3 # vcpus = 9\n'
                 "# cap = 9\nextra = 'a \"quotes\"'\nextra += \" b\"\n"
                 'vif = [\n  "bridge=a", # first\n  "bridge=b",\n]\n'
                 'cpus = "0-1"\ntsc_mode = "native"'),
    "every number": ("vcpus = 2\nmaxvcpus = 6\ncpu_weight = 512\ncap = 50\n"
                     "max_event_channels = 2047\nmax_grant_frames = 64\n"
                     "max_maptrack_frames = 128\nmax_grant_version = 1\n"
                     "localtime = 1\nrtc_timeoffset = 3600\n"
                     'cpus = ["0-1", "0-1,^0"]\n'
                     'root = "/dev/xvda1 ro"\nextra = "4 console=hvc0"'),
    "cpus all": ('cpus = "all"\nvcpus = 2\npool = "Pool-0"\n'
                 'ramdisk = "/stubs/hello"\nextra = "quiet"'),
    "cpus without one": 'cpus = "all,^1"\nvcpus = 3\ntsc_mode = 2',
    "cpus list": ('cpus = ["0", "1", "0"]\nvcpus = 2\n'
                  'cmdline = "console=hvc0"\nextra = "debug"'),
    "cpus of nodes": 'cpus = "nodes:0,^0"\ncpus_soft = "node:0"\nvcpus = 2',
    "cpus_soft": ('cpus_soft = ["1", "0"]\nvcpus = 2\ncpus = "0-1"\n'
                  'root = "/dev/xvda1"\ndisk = []\nvif = []'),
    "disks": ('kernel = None\nbootloader = "pygrub"\n'
              'bootloader_args = ["--kernel=/vmlinuz", "-q"]\n'
              'disk = ["/dev/vg/guest-volume,,hda", '
              '"/dev/vg/guest-volume,raw,hdb,rw", '
              '"format=raw, vdev=hdc, access=rw, target=/dev/vg/volume", '
              '"raw:/dev/vg/volume,hdd,w", "phy:/dev/vg/guest,xvda,w", '
              '"phy:/dev/vg/b,xvdb,r", "file:/srv/guest.img,xvdc1,w", '
              '"/srv/a.qcow2,qcow2,xvdd,w", "/srv/b.vhd,vhd,xvde,ro", '
              '"/srv/c.qed,qed,sda,rw", "/srv/cd.iso,raw,sdb,devtype=cdrom", '
              '"format=raw,vdev=sdc,access=ro,devtype=cdrom,target="]'),
    "disks by keys": (
        'kernel = None\nbootloader = "pygrub"\n'
        'bootloader_args = "-q  --offset=0"\n'
        'disk = ["vdev=xvda,access=rw,script=block-iscsi,'
        'target=iqn=iqn.2013-03.com:a,portal=192.0.2.1", '
        '"format=raw,vdev=xvdb,access=r,backend=storage,backendtype=phy,'
        'target=/dev/vg/guest", '
        '"format=raw,vdev=xvdc,backendtype=qdisk,target=/a", '
        '"format=raw,vdev=xvdd,discard,target=/a", '
        '"format=raw,vdev=xvde,no-discard,target=/b", '
        '"format=raw,vdev=xvdf,direct-io-safe,target=/c"]'),
    "networks": ('vif = ["", "bridge=xenbr0", '
                 '"mac=00:16:3E:01:02:03, bridge=xenbr1", '
                 '"mac=00:16:3e:aa:00:02,script=vif-route,ip=192.0.2.7", '
                 '"script=vif-nat,gatewaydev=eth0,ip=192.0.2.9/24", '
                 '"netdev=eth1", "vifname=web0,model=e1000,type=vif", '
                 '"backend=net,bridge=br0", "devid=17,mtu=9000", '
                 '"rate=10Mb/s", "rate=250KB/s", "rate=1MB/s@20ms", '
                 '"bridge=br0,rate=100Kb/s@1s"]'),
    "Debian's example": ('memory = 128\nvcpus = 2\n'
                         'extra = "root=/dev/xvda1"\nvif = [""]\n'
                         'disk = ["/dev/vg/guest-volume,raw,xvda,rw"]'),
    "xen-tools": ('vcpus = "1"\nmemory = "256"\nroot = "/dev/xvda2 ro"\n'
                  'disk = ["phy:/dev/vg/w-disk,xvda2,w", '
                  '"phy:/dev/vg/w-swap,xvda1,w"]\n'
                  'vif = ["ip=192.0.2.5 ,mac=00:16:3E:0B:7C:9E"]\n'
                  'on_poweroff = "destroy"\non_reboot = "restart"\n'
                  'on_crash = "restart"'),
}


def text(lines):
    """Return the file for a case: its lines, and those of BASE it leaves."""
    out, said = [], set()
    for line in lines.split("\n"):
        key, _, value = (part.strip() for part in line.partition("="))
        if not key.startswith("#"):
            said.add(key)
        if value != "None":
            out.append(line)
    out += [f"{key} = {value}" for key, value in BASE.items()
            if key not in said]
    return "\n".join(out) + "\n"
