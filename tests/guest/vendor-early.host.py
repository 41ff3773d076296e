# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-early.sh: it asks when nobody is there to hear it."""

import threading

from control import ask
from hostside import sync


def want(vm, marker, level):
    """Pressure and a request while there is no driver; the answer comes later."""
    sync(vm, marker)
    vm.check(ask(vm.backend.control, f"pressure {level}")[1] == "ok", f"{marker}: pressure {level}")
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(ask(vm.backend.control, "request 4096 60", 90)), daemon=True)
    thread.start()
    # Nothing to wait for: the answer must not come yet.
    thread.join(1)
    vm.check(not answers, f"{marker}: nobody has answered yet: {answers}")
    vm.answer(marker, "")
    sync(vm, "answered")
    thread.join(30)
    vm.check(answers and answers[0][1] == "ok", f"{marker}: the request is answered: {answers}")
    vm.answer("answered", "")


def run(vm):
    want(vm, "before", "critical")
    want(vm, "between", "high")
