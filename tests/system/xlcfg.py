# SPDX-License-Identifier: MIT
"""Guest configurations, each with what xl.cfg(5) lets a PV guest say, for the
comparison of `vigil create -N` with Debian's `xl create -N`; and which keys of
that manual page Vigil names as not honoured (xlman.py reads the page).

Every one gets the lines of BASE that it does not set itself.
"""

import xlman

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
    "emulated TSC": "tsc_mode = 1",
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
    "renamed": ('on_poweroff = "rename-restart"\non_crash = "rename-restart"\n'
                'on_soft_reset = "preserve"\nvendor_device = "none"\n'
                "tsc_mode = 0\nmax_grant_version = 2"),
}

# What stands for the manual page's words in capitals, by key or by word.
NUMBERS = {word: ["1"] for word in (
    "N", "M", "NUMBER", "KBYTES", "MBYTES", "DISPLAYNUM", "[ NUMBER, NUMBER, "
    "...]")}
ACTIONS = [f'"{word}"' for word in (
    "destroy", "restart", "rename-restart", "preserve", "coredump-destroy",
    "coredump-restart", "soft-reset")]
SAMPLES = {
    **NUMBERS, "BOOLEAN": ["0", "1"], "ACTION": ACTIONS,
    "name": ['"oracle"'], "pool": ['"Pool-0"'], "vcpus": ["2"],
    "maxvcpus": ["4"], "cpus_soft": ['"0-1"'], "cpu_weight": ["512"],
    "cap": ["50"], "memory": ["64"], "maxmem": ["128"],
    "kernel": ['"/stubs/hello"'], "ramdisk": ['"/stubs/hello"'],
    "cmdline": ['"console=hvc0"'], "root": ['"/dev/xvda1"'],
    "extra": ['"quiet"'], "uuid": [BASE["uuid"]], "max_grant_frames": ["64"],
    "max_maptrack_frames": ["128"], "max_grant_version": ["1", "2"],
    "max_event_channels": ["1023"], "rtc_timeoffset": ["3600"],
    "disk": ['["/dev/vg/guest-volume,raw,xvda,rw"]'],
    "vif": ['["bridge=xenbr0"]'], "bootloader": ['"pygrub"'],
    "bootloader_args": ['["-q"]'], "irqs": ["[1, 2]"],
}

# Keys of the page that Vigil acts on, or that xl, too, does nothing with for a
# PV guest: what they give is compared.
HONOURED = set("""name type builder pool vcpus maxvcpus cpus cpus_soft cpu_weight
    cap memory maxmem on_poweroff on_reboot on_watchdog on_crash on_soft_reset
    kernel ramdisk cmdline root extra uuid max_grant_frames max_maptrack_frames
    max_grant_version max_event_channels disk vif bootloader bootloader_args
    tsc_mode localtime rtc_timeoffset vendor_device""".split())

# Each value in a file of its own: they do not go together with others.
ALONE = {"cpus", "cmdline"}

# What they need besides: without vcpus xl forgets cpus, and vigil does not.
MORE = {"cpus": "\nvcpus = 2"}

# Values of those that are refused, with their line.
REFUSED = {("type", '"pvh"'), ("type", '"hvm"'), ("builder", '"hvm"'),
           ("tsc_mode", '"native_paravirt"'),
           ("on_poweroff", '"soft-reset"'), ("on_reboot", '"soft-reset"'),
           ("on_watchdog", '"soft-reset"'), ("on_crash", '"soft-reset"')}

# Keys of the page that are named with their line as not honoured: the reason,
# as vigil gives it, and the keys.
NAMED = {
    "no device can be given to a guest: there is no IOMMU":
        """pci pci_permissive pci_msitranslate pci_seize pci_power_mgmt ioports
        iomem irqs dtdev e820_host passthrough""",
    "it is for HVM and PVH guests, and Vigil runs PV guests":
        """hap oos pae acpi acpi_s3 acpi_s4 acpi_laptop_slate apic nx hpet
        vpt_align timer_mode viridian hdtype bios bios_path_override nestedhvm
        altp2m altp2mhvm smbios_firmware acpi_firmware ms_vm_genid
        xen_platform_pci boot mmio_hole shadow_memory serial soundhw device_tree
        mca_caps vmtrace_buf_kb rdm rdm_mem_boundary""",
    "PV guests have no device model":
        """device_model_args device_model_args_pv device_model_args_hvm
        device_model_override device_model_version device_model_user
        device_model_stubdomain_override device_model_stubdomain_seclabel
        stubdomain_kernel stubdomain_ramdisk stubdomain_cmdline
        stubdomain_memory dm_restrict""",
    "there is no display or sound for guests; use the console":
        """vfb vkb vkb_device vsnd vdispl gfx_passthru nographic vga videoram
        stdvga vnc vnclisten vncpasswd vncdisplay vncunused sdl opengl keymap
        spice spicehost spiceport spicetls_port spicedisable_ticketing
        spicepasswd spiceagent_mouse spicevdagent spice_clipboard_sharing
        spiceusbredirection spice_image_compression spice_streaming_video""",
    "there is no USB for guests": "usbctrl usbdev usb usbversion usbdevice",
    "it is for other processors": "vuart gic_version tee",
    "it is for PVH guests, and Vigil runs PV guests":
        "pvshim pvshim_path pvshim_cmdline pvshim_extra",
    "the hypervisor has no security labels (no XSM)": "seclabel init_seclabel",
    "Vigil does not know how to do it":
        """vnuma vtpm p9 channel driver_domain cpuid nomigrate pvcalls vpmu
        xend_suspend_evtchn_compat msr_relaxed firmware""",
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


def manual(items):
    """Return what the manual page gives to try: files to compare with xl's,
    files that are refused (with their key), and one in which each line of
    `named` is named (its key and the reason)."""
    reason = {key: why for why, keys in NAMED.items() for key in keys.split()}
    missing = set(items) - HONOURED - set(reason)
    stale = (HONOURED | set(reason)) - set(items)
    if missing or stale or HONOURED & set(reason):
        raise ValueError(f"keys of xl.cfg(5) in no list: {sorted(missing)}; in "
                         f"a list and not of xl.cfg(5): {sorted(stale)}; in "
                         f"both: {sorted(HONOURED & set(reason))}")
    compared, refused, named, unmet = {}, [], [], set(REFUSED)
    for key, item in items.items():
        shown = xlman.values(item, SAMPLES)
        unmet -= {(key, value) for value in shown}
        for at, value in enumerate(v for v in shown if (key, v) not in REFUSED):
            line = f"{key} = {value}"
            if key in reason:
                named.append((key, reason[key], line))
            elif key in ALONE:
                compared[f"manual: {line}"] = line + MORE.get(key, "")
            else:
                name = f"manual: values {at}"
                compared[name] = f"{compared.get(name, '')}\n{line}".strip()
        refused += [(key, f"{key} = {value}") for value in shown
                    if (key, value) in REFUSED]
    if unmet:
        raise ValueError(f"refused values that xl.cfg(5) does not have: {unmet}")
    return compared, refused, named
