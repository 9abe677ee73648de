"""`tersely demo`: one compressed request from end to end, without a key."""

from importlib.util import find_spec
from typing import Annotated

import typer


def demo(
    rate: Annotated[
        float, typer.Option(min=0.05, max=1, help="Tokens kept / tokens before.")
    ] = 0.5,
) -> None:
    """Send a long document through a proxy to a stand-in provider and show what was saved."""
    if find_spec("openai") is None:
        typer.echo(
            "The demo drives the proxy with the official client; install it with: "
            "pip install 'tersely[demo]'",
            err=True,
        )
        raise typer.Exit(2)
    # the proxy and its model runtimes take a second to import: not for `--help`
    from proxy.demo.run import show  # noqa: PLC0415

    show(rate)
