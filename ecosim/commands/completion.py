"""`ecosim completion`: the script that lets a shell complete ecosim's commands."""

from __future__ import annotations

import click

_WHERE = """\b
bash: ecosim completion bash > ~/.local/share/bash-completion/completions/ecosim
zsh:  ecosim completion zsh > _ecosim, in a folder that is in $fpath
fish: ecosim completion fish > ~/.config/fish/completions/ecosim.fish"""


@click.command(epilog=_WHERE)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a shell's completion script."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:  # not reached: the choices are click's own
        raise click.UsageError(f"no completion for {shell}")
    click.echo(made(ctx.find_root().command, {}, "ecosim", "_ECOSIM_COMPLETE").source())
