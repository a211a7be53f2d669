"""`python -m ecosim` is the command `ecosim`."""

import os

from ecosim.cli import main


def start() -> None:
    """Run the command, which finds its compiled programs on disk (see `programs`)."""
    os.environ.setdefault("ECOSIM_PROGRAMS", "1")
    main(prog_name="ecosim")


if __name__ == "__main__":
    start()
