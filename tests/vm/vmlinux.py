# SPDX-License-Identifier: GPL-2.0
"""The kernel as it is in memory, taken out of the bzImage of a kernel's package.

A bzImage decompresses itself: emulated, that is a third of a boot.  QEMU starts an ELF
image as it is where it has an entry for PVH, as Debian's have.  What the boot loader
would have done besides is left out: a guest that starts so has its kernel at the address
it was linked for (no KASLR), and may overwrite what the firmware needs to wake it up.
tests/libvirt boots the bzImage, and so do tests with boot=bzimage.
"""

import fcntl
import os
import re
import struct

from initramfs import unpack

# Documentation/arch/x86/boot.rst: setup_sects; "HdrS"; payload_offset and payload_length
SETUP_SECTS, MAGIC, PAYLOAD = 0x1F1, 0x202, 0x248
SECTOR = 512
DECOMPRESS = {b"\x1f\x8b": "gzip", b"\xfd7": "xz", b"(\xb5": "zstd", b"\x02\x21": "lz4"}
# include/xen/interface/elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY, a note of 4 or 8 bytes
PVH_NOTE = re.compile(rb"\x04\0\0\0[\x04\x08]\0\0\0\x12\0\0\0Xen\0")


def payload(image):
    """The compressed vmlinux in the bytes of a bzImage; None if there is none."""
    if image[MAGIC:MAGIC + 4] != b"HdrS":
        return None
    start = ((image[SETUP_SECTS] or 4) + 1) * SECTOR
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    return image[start + offset:start + offset + length]


def extract(path):
    """The bytes of the ELF image in a bzImage, if QEMU can start it, else None."""
    with open(path, "rb") as file:
        packed = payload(file.read())
    program = DECOMPRESS.get(packed[:2]) if packed else None
    if not program:
        return None
    # gzip ends with its size; behind the others the kernel's build has added that
    packed = packed if program == "gzip" else packed[:-4]
    image = unpack(program, packed)
    return image if image.startswith(b"\x7fELF") and PVH_NOTE.search(image) else None


def path_of(kernel_dir):
    """What to start in a kernel's directory: its vmlinux, made once, else its vmlinuz."""
    packed, target = (os.path.join(kernel_dir, name) for name in ("vmlinuz", "vmlinux"))
    # Others may be at it, too: one writes, so what somebody left who was killed is replaced.
    folder = os.open(kernel_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not os.path.exists(target):
            image = extract(packed)
            if image is None:
                return packed
            with open(target + ".new", "wb") as file:
                file.write(image)
            os.rename(target + ".new", target)
    finally:
        os.close(folder)
    return target
