# SPDX-License-Identifier: GPL-2.0
"""A test guest that libvirt starts, from the parts of a domain that docs/host.md
shows: vm.VM, but for what starts QEMU."""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET

from vm import BASE_APPEND, KERNEL, TEST, VM, Console

QEMU_NS = "http://libvirt.org/schemas/domain/qemu/1.0"
ACCEPT_S = 30
STOP_S = 5

# What the documents leave to the reader.  One CPU: emulation with a thread each
# has been seen to break the patching of kernel text.
REST = """
<domain>
  <name>fpr</name>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices><controller type='usb' model='none'/></devices>
</domain>
"""


class RecipeError(Exception):
    """The document has no such recipe, or one that is no XML."""


def recipes(path, section):
    """The texts of the XML blocks below a heading that begins so, in their order."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    match = re.search(rf"^(#+) {re.escape(section)}.*?(?=^\1 |\Z)", text, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^```xml\n(.*?)^```$", match.group(0) if match else "",
                       re.MULTILINE | re.DOTALL)
    if not found:
        raise RecipeError(f"{os.path.basename(path)} has no XML in a section '{section}'")
    return found


def sub(parent, tag, text=None, **attributes):
    """A new element in an XML tree."""
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def compose(recipe, *, kind="qemu", kernel, initrd, append, mem_mib, serials, paths, emulator=None, cpu="max"):
    """A whole domain around a recipe, which is an element of <devices> or a <domain>
    with some parts only; paths: what stands there, and what it is to be."""
    for there, here in paths.items():
        if there not in recipe:
            raise RecipeError(f"'{there}' is not in the recipe:\n{recipe}")
        recipe = recipe.replace(there, here)
    ET.register_namespace("qemu", QEMU_NS)
    domain, given = ET.fromstring(REST), ET.fromstring(recipe)
    domain.set("type", kind)
    sub(domain, "memory", str(mem_mib), unit="MiB")
    boot = domain.find("os")
    for tag, text in (("kernel", kernel), ("initrd", initrd), ("cmdline", append)):
        sub(boot, tag, text)
    model, *flags = cpu.split(",")
    element = sub(domain, "cpu", mode={"max": "maximum", "host": "host-passthrough"}[model])
    for flag in flags:
        sub(element, "feature", policy="disable", name=flag.lstrip("-"))
    devices = domain.find("devices")
    for serial in serials:
        sub(sub(devices, "serial", type="unix"), "source", mode="connect", path=serial)
    if emulator:
        sub(devices, "emulator", emulator)
    if given.tag != "domain":
        devices.append(given)
    else:
        for part in given:
            if part.tag == "devices":
                devices.extend(part)
            else:
                domain.append(part)
    return ET.tostring(domain, encoding="unicode")


class Process:
    """QEMU, which is libvirt's child and not ours, with the face of a Popen.  Its exit
    status is not to be had."""

    def __init__(self, pid):
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    @property
    def returncode(self):
        return self.poll()

    def poll(self):
        """0 when it has ended, however; None while it runs."""
        return 0 if select.select([self._fd], [], [], 0)[0] else None

    def kill(self):
        """Ends it at once."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)

    def wait(self, timeout=STOP_S):
        """Waits for its end."""
        if not select.select([self._fd], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("QEMU", timeout)


class Domain(VM):
    """A guest of libvirt's.  virsh: a Virsh; recipe, paths, emulator: see compose()."""

    def __init__(self, *, virsh, recipe, paths, emulator=None, **options):
        super().__init__(**options)
        self.virsh, self.recipe, self.paths, self.emulator = virsh, recipe, paths, emulator
        self.log = f"{virsh.folder}/log/qemu/fpr.log"
        self._folder = tempfile.TemporaryDirectory(prefix="fpr-")

    def start(self):
        """Has libvirt check the whole domain's XML, and start it."""
        self._stderr = tempfile.TemporaryFile()
        folder = self._folder.name
        listeners = {}
        for stream in (KERNEL, TEST):
            listeners[stream] = socket.socket(socket.AF_UNIX)
            listeners[stream].bind(f"{folder}/{stream}")
            listeners[stream].listen()
            listeners[stream].settimeout(ACCEPT_S)
        self.xml = f"{folder}/domain.xml"
        with open(self.xml, "w", encoding="utf-8") as file:
            file.write(compose(
                self.recipe, kind="kvm" if self.accel == "kvm" else "qemu", kernel=self.kernel, initrd=self.initrd, mem_mib=self.mem_mib,
                append=f"{BASE_APPEND} {self.append}".strip(), cpu=self.cpu, paths=self.paths,
                serials=[f"{folder}/{stream}" for stream in listeners], emulator=self.emulator))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log)  # of the guest before
        self.started = time.monotonic()
        self.virsh.run(f"create --validate {self.xml}")
        with open(f"{self.virsh.folder}/run/qemu/fpr.pid", encoding="ascii") as file:
            self.proc = Process(int(file.read()))
        self._sockets = [listener.accept()[0] for listener in listeners.values()]
        for listener in listeners.values():
            listener.close()
        self.console = Console(dict(zip(listeners, self._sockets)))
        self._run(self._watch)
        return self

    def wait_exit(self, timeout_s=None):
        """0 if it ended as libvirt's guests do, by its own shutdown or by libvirt's
        hand; libvirt says how soon after."""
        super().wait_exit(timeout_s)
        self._wait_gone()
        reasons = re.findall(r": shutting down, reason=(\w+)", self.qemu_output())
        return 0 if reasons[-1:] in (["shutdown"], ["destroyed"]) else 1

    def _wait_gone(self):
        """Waits until libvirt has noticed: only then is the name free again."""
        end = time.monotonic() + STOP_S
        while "fpr" in self.virsh.run("list --name") and time.monotonic() < end:
            time.sleep(0.1)

    def close(self):
        super().close()
        self._folder.cleanup()
        self._wait_gone()

    def qemu_output(self):
        """What libvirt noted of QEMU: its command line and what it printed."""
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return "".join(f"qemu: {line}\n" for line in file.read().splitlines())
        except OSError:
            return ""
