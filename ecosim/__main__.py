"""`python -m ecosim` is the command `ecosim`."""

from ecosim.cli import main

if __name__ == "__main__":
    main(prog_name="ecosim")
