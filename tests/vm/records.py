# SPDX-License-Identifier: GPL-2.0
"""What has passed, for a state of the sources: so that a long run can be interrupted."""

import os
import subprocess
import tempfile


def tree(top):
    """A name for the sources as they are, with what is not committed; None without git."""
    with tempfile.TemporaryDirectory(prefix="fpr-index-") as folder:
        env = dict(os.environ, GIT_INDEX_FILE=os.path.join(folder, "index"))
        for command in (["git", "read-tree", "HEAD"], ["git", "add", "-A"], ["git", "write-tree"]):
            run = subprocess.run(command, cwd=top, env=env, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True, check=False)
            if run.returncode:
                return None
        return run.stdout.strip()


class Records:
    """A line for each test that passed: what, points, seconds."""

    def __init__(self, top):
        name = tree(top)
        self.path = name and os.path.join(top, "build", "results", name)
        if self.path:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)

    def passed(self):
        """(key, points, seconds) of each."""
        try:
            with open(self.path, encoding="utf-8") as file:
                found = [line.rstrip("\n").split("\t") for line in file]
        except (OSError, TypeError):
            return []
        return list({key: (key, int(points), float(took)) for key, points, took in found}.values())

    def write(self, result):
        """Remembers a result if it is good."""
        if self.path and result.passed and not result.failed:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(f"{result.key}\t{result.passed}\t{result.seconds:.1f}\n")
