# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-dies.sh: stops the program, and kills it."""

import os
import signal

from hostside import sync


def run(vm):
    sync(vm, "stop")
    os.kill(vm.backend.pid, signal.SIGSTOP)
    vm.answer("stop", "")
    sync(vm, "kill")
    vm.check(vm.backend.running(), "it is there until it is killed")
    vm.backend.kill()
    vm.answer("kill", "")
    vm.wait_exit()
    vm.check("fpr-guest-run-complete" in vm.log_text(), "the guest lives on")
