"""What was shown and what was not, told line by line and counted for tests/run."""

import time


class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.started = time.monotonic()

    def check(self, what, holds, detail=""):
        """One line: ok or FAILED, with what was seen instead."""
        seconds = time.monotonic() - self.started
        if holds:
            self.passed += 1
            print(f"{seconds:6.1f} s  ok: {what}", flush=True)
        else:
            self.failed += 1
            print(f"{seconds:6.1f} s  FAILED: {what}" + (f"\n          {detail}" if detail != "" else ""), flush=True)
        return holds

    def equal(self, what, found, wanted):
        return self.check(what, found == wanted, f"found {found!r}, wanted {wanted!r}")

    def note(self, text):
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", flush=True)
