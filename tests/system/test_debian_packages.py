# SPDX-License-Identifier: MIT
"""The packages of `make deb`: what is in them, and that they repeat."""

import gzip
import os
import re
import shutil
import subprocess

import debian
from suite import BUILD, TOP, Suite, check, require, skip

DEBS = BUILD / "deb"


def made(*words, **more):
    """Run a program of this machine.  Return: what it printed."""
    done = subprocess.run(words, capture_output=True, check=False, text=True,
                          cwd=TOP, **more)
    check(done.returncode == 0,
          f"{words[0]} ended with {done.returncode}: {done.stdout[-800:]}"
          f"{done.stderr[-800:]}")
    return done.stdout


class Packages(Suite):
    """No machine: the files as dpkg sees them; not itself a suite of cases."""

    names = ("vigil-hypervisor", "vigil-tools")

    def setup(self):
        """Build them as a person would."""
        debian.make("deb")

    def deb(self, name, folder=DEBS):
        """Return the one file of a package."""
        found = list(folder.glob(f"{name}_*_amd64.deb"))
        check(len(found) == 1, f"{len(found)} packages {name} in {folder}")
        return found[0]


class DebianPackages(Packages):
    """What is in them, and what they tell dpkg."""

    weight = 10

    def setup(self):
        """Unpack them, too: <folder>/<name>, and DEBIAN/ in it."""
        super().setup()
        self.folder = BUILD / "test/DebianPackages"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in self.names:
            made("dpkg-deb", "-R", self.deb(name), self.folder / name)

    def listing(self, name):
        """Return {path: mode and owner} of a package."""
        lines = made("dpkg-deb", "-c", self.deb(name)).split("\n")[:-1]
        return {line.split()[5]: line.split()[0] + " " + line.split()[1]
                for line in lines}

    def field(self, name, field):
        """Return a line of a package's description."""
        return made("dpkg-deb", "-f", self.deb(name), field).strip()

    def test_hypervisor_files(self):
        """Where GRUB looks, readable, root's; the same image as was built."""
        files = self.listing("vigil-hypervisor")
        for path in ("boot/xen-4.17-vigil-amd64.gz",
                     "etc/default/grub.d/zz-vigil.cfg",
                     "usr/lib/vigil/xen-syms-4.17-vigil-amd64",
                     "usr/share/doc/vigil-hypervisor/known-limits.md"):
            # Debian packs documents of more than 4 KiB.
            found = files.get("./" + path, files.get(f"./{path}.gz"))
            check(found == "-rw-r--r-- root/root", f"{path}: {found}")
        # Anything else in /boot could become an entry of the menu.
        boot = [f for f in files if f.startswith("./boot/") and f != "./boot/"]
        check(len(boot) == 1, f"/boot has {boot}")
        image = (self.folder / "vigil-hypervisor" / boot[0]).read_bytes()
        built = BUILD / "release/xen-4.17-vigil-amd64"
        check(gzip.decompress(image) == built.read_bytes(),
              "the image is not the one that was built")

    def test_tools_files(self):
        """Programs, service, settings, manual pages that man can show."""
        files = self.listing("vigil-tools")
        for path in ("usr/bin/vigil", "usr/sbin/vigild"):
            check(files.get("./" + path) == "-rwxr-xr-x root/root",
                  f"{path}: {files.get('./' + path)}")
        for path in ("lib/systemd/system/vigild.service", "etc/default/vigild",
                     "usr/share/man/man1/vigil.1.gz",
                     "usr/share/man/man1/vigil-crash-show.1.gz",
                     "usr/share/man/man1/vigil-create.1.gz",
                     "usr/share/man/man8/vigild.8.gz",
                     "usr/share/bash-completion/completions/vigil"):
            check("./" + path in files, f"no {path}")
        page = gzip.decompress(
            (self.folder / "vigil-tools/usr/share/man/man1/vigil.1.gz")
            .read_bytes()).decode()
        for words in ("crash show", "vigil\\-create", "EXIT STATUS"):
            check(words in page, f"vigil(1) does not have '{words}'")

    def test_programs(self):
        """Those that were built, without symbols but else the same."""
        for path, built in (("usr/bin/vigil", "vigil"),
                            ("usr/sbin/vigild", "vigild")):
            ours = self.folder / "vigil-tools" / path
            check(made(ours, "--help")
                  == made(BUILD / "dom0-tools" / built, "--help"),
                  f"{path} has another help than what was built")
            check(".symtab" not in made("readelf", "-SW", ours),
                  f"{path} has its symbols")

    def test_service(self):
        """The unit starts what the package has, by the settings it has."""
        top = self.folder / "vigil-tools"
        unit = (top / "lib/systemd/system/vigild.service").read_text()
        for pattern in (r"^ExecStart=(\S+) -f \$VIGILD_OPTIONS$",
                        r"^EnvironmentFile=-(\S+)$"):
            found = re.search(pattern, unit, re.M)
            check(found, f"the unit does not have /{pattern}/:\n{unit}")
            check((top / found.group(1)[1:]).is_file(),
                  f"the package does not have {found.group(1)}")
        check("VIGILD_OPTIONS=" in (top / "etc/default/vigild").read_text(),
              "the settings do not have what the unit uses")
        check("ConditionPathExists=/proc/xen/capabilities" in unit,
              "the service would start on plain Linux")
        # Debhelper's part: started when installed, again when upgraded.
        text = (top / "DEBIAN/postinst").read_text()
        for words in ("deb-systemd-helper enable 'vigild.service'",
                      "deb-systemd-invoke $_dh_action 'vigild.service'"):
            check(words in text, f"postinst does not have {words}:\n{text}")

    def test_completion(self):
        """What was made of the program that was built; the suite Completion."""
        path = "usr/share/bash-completion/completions/vigil"
        check((self.folder / "vigil-tools" / path).read_text()
              == made("scripts/deb/mkcompletion.py",
                      BUILD / "dom0-tools/vigil"), "another completion")

    def test_scripts(self):
        """Of the maintainer: sh reads them; the menu is made anew each time."""
        count = 0
        for name in self.names:
            for word in ("preinst", "postinst", "prerm", "postrm"):
                script = self.folder / name / "DEBIAN" / word
                if script.exists():
                    count += 1
                    made("sh", "-n", script)
                    check("#DEBHELPER#" not in script.read_text(),
                          f"{name}: {word} is not filled in")
        check(count >= 5, f"only {count} scripts")
        for word in ("postinst", "postrm"):
            text = (self.folder / "vigil-hypervisor/DEBIAN" / word).read_text()
            check(re.search("^ +update-grub ", text, re.M),
                  f"{word} does not run update-grub")

    def test_settings_are_conffiles(self):
        """What a person changes survives an upgrade."""
        for name, path in (("vigil-hypervisor",
                            "/etc/default/grub.d/zz-vigil.cfg"),
                           ("vigil-tools", "/etc/default/vigild")):
            text = (self.folder / name / "DEBIAN/conffiles").read_text()
            check(text.split() == [path], f"{name}: conffiles are {text}")

    def test_default_entry(self):
        """What GRUB starts by itself: as before, unless Vigil is asked for."""
        top = BUILD / "test/deb-default"
        shutil.rmtree(top, ignore_errors=True)
        (top / "boot").mkdir(parents=True)
        config = (TOP / "scripts/deb/zz-vigil.cfg").read_text()
        (top / "cfg").write_text(config.replace("/boot/", f"{top}/boot/"))
        newest = "Debian GNU/Linux, with Xen hypervisor"
        # As in the titles of 20_linux_xen.
        path = ("Advanced options for Debian GNU/Linux (with Xen hypervisor)>"
                "Xen hypervisor, version {}>0")

        def default(before, wish):
            return made("sh", "-ec",
                        "grub_probe=true grub_mkrelpath=true; "
                        ". /usr/share/grub/grub-mkconfig_lib; "
                        "GRUB_DISTRIBUTOR=Debian; GRUB_DEFAULT=$1; "
                        f'{wish}; . "{top}/cfg"; printf %s "$GRUB_DEFAULT"',
                        "sh", before, env={**os.environ, "LC_ALL": "C"})

        yes, no = "VIGIL_GRUB_DEFAULT=yes", ":"
        check(default("0", yes) == "0", "it names a Vigil that is not there")
        (top / "boot/xen-4.17-vigil-amd64.gz").touch()
        vigil = path.format("4.17-vigil-amd64")
        check(default("0", yes) == vigil, "not Vigil, though asked for")
        check(default("0", no) == "0", "Linux is no longer the default")
        check(default(newest, no) == "0", "xen.cfg without a Xen starts Vigil")
        for version in ("4.14", "4.17"):
            (top / f"boot/xen-{version}-amd64.gz").touch()
        check(default(newest, no) == path.format("4.17-amd64"),
              "Debian's Xen is no longer the default")
        check(default(newest, yes) == vigil, "Debian's Xen wins")

    def test_fields(self):
        """One version of both, for one architecture; in nobody's way."""
        version = self.field("vigil-tools", "Version")
        for name in self.names:
            for field, wanted in (("Package", name), ("Version", version),
                                  ("Architecture", "amd64"),
                                  ("Conflicts", ""), ("Breaks", "")):
                found = self.field(name, field)
                check(found == wanted, f"{name}: {field} is '{found}'")
        found = self.field("vigil-hypervisor", "Recommends")
        check(f"vigil-tools (= {version})" in found.split(", "), found)

    def test_dependencies(self):
        """Debian's Xen programs, and the libraries the tools are linked to."""
        depends = self.field("vigil-tools", "Depends")
        for name in ("xen-utils-4.17", "libxenstore4", "libxenmisc4.17",
                     "libc6"):
            check(re.search(rf"(^|, ){re.escape(name)}( |,|$)", depends),
                  f"vigil-tools does not depend on {name}: {depends}")
        provides = self.field("vigil-hypervisor", "Provides")
        check("xen-hypervisor-4.17" in provides,
              "xen-utils-4.17 would still recommend Debian's Xen")

    def test_newer_is_an_upgrade(self):
        """A version given by hand, or the next commit, sorts after this one."""
        version = self.field("vigil-tools", "Version")
        check(re.fullmatch(r"4\.17\.0\+\d{8}\.\d{6}(\.g[0-9a-f]{8})?"
                           r"(\+changed)?", version), f"version {version}")
        made("dpkg", "--compare-versions", version, "lt",
             "4.17.0+29990101.000000.g00000000")


class DebianPackagesLong(Packages):
    """What takes as long as to make them, or longer."""

    weight = 60
    long = True

    def test_repeats(self):
        """The same tree gives the same bytes."""
        again = BUILD / "test/deb-again"
        made("scripts/mk-deb", "-o", again)
        for name in self.names:
            check(self.deb(name).read_bytes()
                  == self.deb(name, again).read_bytes(), f"{name} differs")

    def test_lintian(self):
        """No error and no warning."""
        if not shutil.which("lintian"):
            skip("no lintian")
        text = made("lintian", "--fail-on", "none",
                    *map(self.deb, self.names))
        bad = re.findall(r"^[EW]: .*", text, re.M)
        check(not bad, "\n".join(bad))


# What bash asks the completion, and the end of a vigil that knows two guests.
ASK = r"""
vigil() {
    case $* in
    list) printf 'Name ID\nDomain-0 0\nweb 1\n' ;;
    'crash list')
        printf '%-23s %s\n' WHEN 'ID  KIND' 'Tue 2026-08-04 10:15:23' 'c7f host' ;;
    esac
}
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_vigil
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(Suite):
    """bash's completion of vigil, made from its table of commands."""

    weight = 2

    def setup(self):
        """Make it."""
        program = BUILD / "dom0-tools/vigil"
        require(program)
        self.folder = BUILD / "test/completion"
        (self.folder / "guests").mkdir(parents=True, exist_ok=True)
        (self.folder / "web server.cfg").touch()
        self.file = self.folder / "vigil"
        self.file.write_text(made("scripts/deb/mkcompletion.py", program))
        self.help = made(program, "help")

    def after(self, line):
        """Return what bash offers behind a line that ends in its last word."""
        done = subprocess.run(
            ["bash", "-uc", ASK, "bash", self.file, *line.split(" ")],
            capture_output=True, text=True, check=False, cwd=self.folder)
        check(not done.stderr, f"'{line}': {done.stderr}")
        return done.stdout.split("\n")[:-1]

    def test_every_command(self):
        """Each that the help lists, and `help`; nothing else."""
        listed = re.findall(r"^  ([a-z]+(?:-[a-z]+)?) ", self.help, re.M)
        check(len(listed) > 10, self.help)
        offered = self.after("vigil ")
        check(set(offered) == set(listed) | {"help"}, f"{offered}")
        check(self.after("vigil cr") == ["create", "crash"],
              f"{self.after('vigil cr')}")
        check(self.after("vigil crash ") == ["list", "show"],
              f"{self.after('vigil crash ')}")

    def test_every_option(self):
        """Those of the program, those of a command by letter and by name."""
        for line, options in (
                ("vigil -", "-v --verbose --root --help"),
                ("vigil -v --root /x crash list -", "--json --root -n --help"),
                ("vigil create x -", "-c --console -p --paused -n --dry-run "
                                     "-N --json --domid --strict --progress "
                                     "--timeout --help"),
                ("vigil wait web -", "--for --json --timeout --help"),
                ("vigil help -", "--man"),
                ("vigil pause -", "--help")):
            check(self.after(line) == options.split(),
                  f"'{line}': {self.after(line)}")

    def test_operands(self):
        """Guests, crashes, files, fixed words; nothing where anything may be."""
        for line, words in (
                ("vigil destroy ", ["Domain-0", "web"]),
                ("vigil shutdown -w w", ["web"]),
                ("vigil crash show ", ["c7f"]),
                ("vigil debug provoke pa", ["panic", "page-fault"]),
                ("vigil trigger web n", ["nmi"]),
                ("vigil create w", ["web server.cfg"]),
                ("vigil events ", ["Domain-0", "web"]),
                ("vigil wait web --for c", ["crashed"]),
                ("vigil help cr", ["create", "crash"]),
                ("vigil help --man crash s", ["show"]),
                ("vigil crash list --root g", ["guests"]),
                ("vigil --root g", ["guests"]),
                ("vigil shutdown web --timeout ", []),
                ("vigil info ", []), ("vigil nonsense ", [])):
            found = [word for word in self.after(line) if word]
            check(found == words, f"'{line}': {found}")
