"""`python -m ecosim` is the command `ecosim`."""

import atexit
import gc
import os

from ecosim.cli import main

_OBJECTS = 10_000  # new ones between two searches for garbage among them


def start() -> None:
    """Run the command, which finds its compiled programs on disk (see `programs`).

    What a command loads makes a quarter of a million objects, hardly any of them garbage. Python
    would look through them again and again while it loads, and when it ends: a fifth of a small
    run's time.
    """
    gc.set_threshold(_OBJECTS)
    atexit.register(gc.freeze)  # what was registered first is called last
    os.environ.setdefault("ECOSIM_PROGRAMS", "1")
    main(prog_name="ecosim")


if __name__ == "__main__":
    start()
