# SPDX-License-Identifier: GPL-2.0
"""The host's part of vendor-early.sh: it asks when nobody is there to hear it."""

import threading

from control import ask, values
from hostside import request, sync, until


def made(vm):
    """Requests that the program knows of."""
    return int(values(vm.backend.control, "counters")["requests_made"])


def want(vm, marker, level):
    """Pressure and a request while there is no driver; the answer comes later."""
    sync(vm, marker)
    vm.check(ask(vm.backend.control, f"pressure {level}")[1] == "ok", f"{marker}: pressure {level}")
    answers, before = [], made(vm)
    thread = threading.Thread(target=lambda: answers.append(request(vm)), daemon=True)
    thread.start()
    vm.check(until(vm, lambda: made(vm) > before), f"{marker}: a request is made")
    # Nothing to wait for: the answer must not come yet.  A busy machine can only miss it.
    thread.join(1)
    vm.check(not answers, f"{marker}: nobody has answered yet: {answers}")
    vm.answer(marker, "")
    sync(vm, "answered")
    thread.join()
    vm.check(answers and answers[0][1] == "ok", f"{marker}: the request is answered: {answers}")
    vm.answer("answered", "")


def run(vm):
    want(vm, "before", "critical")
    want(vm, "between", "high")
