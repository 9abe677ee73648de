"""`tersely demo`: one compressed request from end to end, without a key."""

from typing import Annotated

import typer


def demo(
    rate: Annotated[
        float, typer.Option(min=0.05, max=1, help="Tokens kept / tokens before.")
    ] = 0.5,
) -> None:
    """Send a long document through a proxy to a stand-in provider and show what was saved."""
    # the proxy, its model runtimes and the client take seconds to import: not for `--help`
    try:
        from proxy.demo.run import show  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "openai":
            raise
        typer.echo(
            "The demo drives the proxy with the official client; install it with: "
            "pip install 'tersely[demo]'",
            err=True,
        )
        raise typer.Exit(2) from None
    show(rate)
