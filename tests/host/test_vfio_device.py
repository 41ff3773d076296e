# SPDX-License-Identifier: GPL-2.0
"""The device as VMM and guest use it: reports, interrupts, memory, resets."""

import errno
import os
import struct

import vendor
import vfio_client as vfio
from harness import equal, test
from program import read_answer
from vfio_client import Client, Driver, Event, Refused
from vfio_server import HIGH, MIB, Serving, check_report


def refused(errno_name, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Refused as error:
        assert error.args[0] == getattr(errno, errno_name), error.args[0]
        return
    raise AssertionError(f"not refused with {errno_name}")


@test
def device_as_qemu_looks_at_it(binary):
    with Serving(binary, "--pci-id=1234:1045:5678:0009") as server:
        client = Client(server.path)
        argsz, flags, regions, irqs = client.info()
        assert (argsz, flags, regions, irqs) == (16, 3, 9, 5)
        sizes = [client.region_info(index)[1] for index in range(regions)]
        assert sizes == [0x4000, 0x1000, 0, 0, 0, 0, 0, 256, 0], sizes
        assert all(client.region_info(i)[0] == (3 if sizes[i] else 0) for i in range(9))
        # Interrupt line, and a vector each for the queue and the configuration
        assert [client.irq_info(i)[1] for i in range(irqs)] == [1, 0, 2, 1, 0]
        assert client.irq_info(vfio.INTX)[0] == 7
        assert client.irq_info(vfio.MSIX)[0] == 1
        space = client.read(vfio.CONFIG_REGION, 0, 256)
        ids = struct.unpack_from("<HH", space, 0) + struct.unpack_from("<HH", space, 0x2c)
        assert ids == (0x1234, 0x1045, 0x5678, 9), ids
        driver = Driver(client, None)
        assert set(driver.caps) == {1, 2, 3, 4, 5}, driver.caps
        assert vendor.config(driver.config()).magic == vendor.MAGIC
        event = Event()
        client.set_irqs(3, vfio.FD_TRIGGER, 0, 1, (event.fd,))
        client.set_irqs(3, vfio.NONE_TRIGGER, 0, 1)
        assert not event.fired()
        refused("EINVAL", client.region_info, 9)
        refused("EINVAL", client.irq_info, 5)
        client.close()


@test
def report_msix(binary):
    with Serving(binary) as server:
        driver = server.guest()
        config, queue = Event(), Event()
        driver.client.set_irqs(vfio.MSIX, vfio.FD_TRIGGER, 0, 2, (config.fd, queue.fd))
        check_report(server, driver)
        assert queue.fired() == 1 and not config.fired()
        # None of the guest's, and memory that ends
        status, discarded, refused_bytes = driver.report(
            (HIGH - 4 * MIB, 4 * MIB), (24 * MIB, MIB), (HIGH + 31 * MIB, 2 * MIB))
        assert (status, discarded, refused_bytes) == (2, 2 * MIB, 5 * MIB)
        # Masked: it comes when it is unmasked.
        queue.fired()
        driver.client.set_irqs(vfio.MSIX, vfio.DATA_NONE | vfio.ACTION_MASK, 1, 1)
        driver.report((25 * MIB, MIB))
        assert not queue.fired()
        assert driver.client.get(1, 0x800, 8) == 2
        driver.client.set_irqs(vfio.MSIX, vfio.DATA_BOOL | vfio.ACTION_UNMASK, 0, 2,
                               data=b"\0\1")
        assert queue.fired() == 1 and driver.client.get(1, 0x800, 8) == 0
        # Taken back, one and all
        driver.client.set_irqs(vfio.MSIX, vfio.FD_TRIGGER, 1, 1)
        driver.report((26 * MIB, MIB))
        assert not queue.fired()
        driver.client.set_irqs(vfio.MSIX, vfio.NONE_TRIGGER, 0, 0)
        server.wait_for(lambda: server.fds() == server.fds_at_start + 3, "the files' end")
        driver.client.close()
        server.wait_idle()


@test
def report_intx(binary):
    with Serving(binary) as server:
        driver = server.guest(msix=False)
        line = Event()
        driver.client.set_irqs(vfio.INTX, vfio.FD_TRIGGER, 0, 1, (line.fd,))
        check_report(server, driver)
        assert line.fired() == 1
        # It masks itself; unmasked while it is still up it comes again.
        driver.report((24 * MIB, MIB))
        assert not line.fired()
        driver.client.set_irqs(vfio.INTX, vfio.DATA_NONE | vfio.ACTION_UNMASK, 0, 1)
        assert line.fired() == 1
        assert driver.isr() == 1 and driver.isr() == 0
        driver.client.set_irqs(vfio.INTX, vfio.DATA_NONE | vfio.ACTION_UNMASK, 0, 1)
        assert not line.fired()
        # Masked by the client
        driver.client.set_irqs(vfio.INTX, vfio.DATA_NONE | vfio.ACTION_MASK, 0, 1)
        driver.report((25 * MIB, MIB))
        assert not line.fired()
        driver.client.set_irqs(vfio.INTX, vfio.DATA_NONE | vfio.ACTION_UNMASK, 0, 1)
        assert line.fired() == 1
        # Down and up again while the client still works on the first
        assert driver.isr() == 1
        driver.report((26 * MIB, MIB))
        assert not line.fired()
        driver.client.set_irqs(vfio.INTX, vfio.DATA_NONE | vfio.ACTION_UNMASK, 0, 1)
        assert line.fired() == 1
        # Set while the line is up
        other = Event()
        driver.client.set_irqs(vfio.INTX, vfio.FD_TRIGGER, 0, 1, (other.fd,))
        assert other.fired() == 1
        refused("EOPNOTSUPP", driver.client.set_irqs, vfio.INTX,
                vfio.DATA_EVENTFD | vfio.ACTION_UNMASK, 0, 1, (other.fd,))


@test
def memory_comes_and_goes(binary):
    with Serving(binary) as server:
        driver = server.guest()
        client, memory = driver.client, driver.memory
        refused("EEXIST", client.map, 0, 4096, memory.fd)
        refused("EEXIST", client.map, 32 * MIB - 4096, 8192, memory.fd)
        refused("EEXIST", client.map, HIGH + MIB, 4096)
        refused("EINVAL", client.map, 2 * HIGH, 0, memory.fd)
        refused("EINVAL", client.map, (1 << 64) - 4096, 8192, memory.fd)
        refused("EINVAL", client.map, 2 * HIGH, 4096, memory.fd, 0, 7)
        refused("ENOENT", client.unmap, 0, 4096)
        refused("ENOENT", client.unmap, 4096, 32 * MIB)
        refused("EOPNOTSUPP", client.unmap, 0, 32 * MIB, 1)
        refused("ENOENT", client.unmap, 2 * HIGH, 4096)
        # Without a file, read-only, in a file that is too short, no memory file
        null = os.open("/dev/null", os.O_RDWR)
        client.map(2 * HIGH, MIB)
        client.map(3 * HIGH, MIB, memory.fd, 0, vfio.READ)
        client.map(4 * HIGH, MIB, memory.fd, 64 * MIB)
        client.map(5 * HIGH, MIB, null)
        os.close(null)
        for where in (2, 3, 4, 5):
            assert driver.report((where * HIGH, MIB)) == (2, 0, MIB)
            refused("EEXIST", client.map, where * HIGH, MIB, memory.fd)
            client.unmap(where * HIGH, MIB)
        # The rings' own memory: the queue rests, and goes on where it was.
        assert driver.report((16 * MIB, MIB)) == (0, MIB, 0)
        client.unmap(0, 32 * MIB)
        driver.expose(vendor.report([(17 * MIB, MIB)]))
        driver.notify()
        assert driver.used() != driver.next
        assert driver.status() & vfio.NEEDS_RESET == 0
        client.map(0, 32 * MIB, memory.fd)
        assert driver.used() == driver.next and driver.response() == (0, MIB, 0)
        memory.map[16 * MIB:18 * MIB] = b"\x5a" * (2 * MIB)
        check_report(server, driver)
        client.unmap(0, 0, vfio.UNMAP_ALL)
        server.wait_for(lambda: not server.maps(), "the end of the mappings")


@test
def too_many_windows(binary):
    with Serving(binary) as server:
        client = Client(server.path)
        for i in range(512):
            client.map(i << 20, 4096)
        refused("ENOSPC", client.map, 600 << 20, 4096)
        client.unmap(5 << 20, 4096)
        client.map(600 << 20, 4096)
        client.unmap(0, 0, vfio.UNMAP_ALL)
        client.map(0, 1 << 30)
        client.close()


@test
def resets(binary):
    with Serving(binary) as server:
        driver = server.guest()
        check_report(server, driver)
        driver.client.reset()
        assert driver.status() == 0
        assert driver.client.get(vfio.CONFIG_REGION, 4, 2) == 0
        driver.memory.fill(0x5a)
        driver.start()
        check_report(server, driver)
        # What is available when the device is reset is not touched.
        driver.status(0)
        driver.expose(b"")
        driver.notify()
        assert driver.used() == 1
        driver.memory.fill(0x5a)
        driver.start()
        check_report(server, driver)


@test
def driver_breaks_the_rules(binary):
    with Serving(binary) as server:
        driver = server.guest()
        config = Event()
        driver.client.set_irqs(vfio.MSIX, vfio.FD_TRIGGER, 0, 1, (config.fd,))
        driver.available(vfio.QUEUE_SIZE)
        driver.notify()
        assert driver.status() & vfio.NEEDS_RESET
        assert config.fired() == 1
        assert "needs a reset" in server.log()
        driver.start()
        check_report(server, driver)
        # A request with another number of ranges than it has room for
        driver.expose(vendor.report([], nr=5))
        driver.notify()
        assert driver.status() & vfio.NEEDS_RESET
        driver.memory.fill(0x5a)
        driver.start()
        check_report(server, driver)
        # What the function finds out, not the device
        assert server.counter("needs_reset") == 2
        driver.status(0)
        driver.common(24, 2, 3)
        assert driver.status() & vfio.NEEDS_RESET
        equal(server.value("status", "state"), "needs-reset", "state")
        assert server.counter("needs_reset") == 3
        driver.start()
        equal(server.value("status", "state"), "ok", "state")


@test
def request_and_pressure(binary):
    with Serving(binary) as server:
        driver = server.guest()
        config = Event()
        driver.client.set_irqs(vfio.MSIX, vfio.FD_TRIGGER, 0, 1, (config.fd,))
        generation = driver.common(21, 1)
        server.command("pressure critical")
        assert config.fired(5) and driver.common(21, 1) != generation
        assert vendor.config(driver.config()).pressure == 3
        with server.client() as sock:
            sock.sendall(b"request\n")
            assert config.fired(5)
            number = vendor.config(driver.config()).request
            assert number
            driver.report((16 * MIB, MIB))
            assert driver.done(number, MIB)[0] == 0
            answer = "\n".join(read_answer(sock))
        assert str(MIB) in answer, answer
