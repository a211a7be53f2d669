"""Where one run is computed: the options that name devices and processes, and their meaning."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ecosim.commands.trouble import explain

if TYPE_CHECKING:
    from ecosim.scenario import Scenario

device = click.option(
    "--device", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True,
    help="What computes; auto: a GPU if there is one.",
)  # fmt: skip


def placed(command: Any) -> Any:
    """Add the options that `prepare` reads."""
    options = [
        device,
        click.option("--devices", type=click.IntRange(min=1), default=1, show_default=True,
                     metavar="N", help="Divide the population over N devices of this process; a "
                     "processor counts as one a core. The result is the same bytes."),
        click.option("--coordinator", metavar="HOST:PORT|auto",
                     help="Several processes compute the run: where process 0 listens, or auto "
                     "under Slurm and the like. Start the same command for each."),
        click.option("--processes", type=click.IntRange(min=1), metavar="N",
                     help="How many processes, with --coordinator HOST:PORT."),
        click.option("--process", type=click.IntRange(min=0), metavar="I",
                     help="Which of them this is, from 0, which alone keeps the run."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def prepare(given: dict[str, Any], engine: str, scenario: Scenario) -> None:
    """Take the devices and join the processes that the options of `placed` name for a scenario.

    Raises:
        DeviceError: they are not there.
        click.UsageError: options that do not go together.

    """
    numbers = given["processes"], given["process"]
    coordinator = given["coordinator"]
    if coordinator is None and numbers != (None, None):
        raise click.UsageError("--processes and --process go with --coordinator HOST:PORT.")
    divided = given["devices"] > 1 or coordinator is not None
    if divided and engine != "headless":
        raise click.UsageError("--devices and --coordinator need --engine headless.")
    from ecosim.devices import divide_processor, suit, use

    if given["devices"] > 1:
        divide_processor(given["devices"])
    if coordinator is not None:
        from ecosim.processes import connect

        connect(coordinator, *numbers)
    if not divided:
        suit(scenario)
    use(given["device"])


@contextlib.contextmanager
def ending_with_the_others(as_json: bool) -> Iterator[None]:
    """Tell, inside, that another process of the run is lost, and end with the code of a failure."""
    from ecosim.processes import LostProcess

    try:
        yield
    except LostProcess as lost:
        code = explain(lost, as_json=as_json)
        sys.stdout.flush()
        sys.stderr.flush()
        # JAX would wait at exit for the lost process and then abort.
        os._exit(code)
