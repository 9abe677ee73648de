"""The `tersely` command. Each subcommand lives in proxy/commands/."""

import typer

from proxy.commands.check_config import check_config
from proxy.commands.compress import compress
from proxy.commands.demo import demo
from proxy.commands.evaluate import plot, speed, survival
from proxy.commands.evaluate_models import judge, tasks
from proxy.commands.keys import build_keys
from proxy.commands.savings import savings
from proxy.commands.serve import serve


def build() -> typer.Typer:
    """Return the command-line application with every subcommand registered."""
    app = typer.Typer(
        name="tersely", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.command("serve")(serve)
    app.command("demo")(demo)
    app.command("compress")(compress)
    app.command("savings")(savings)
    app.command("check-config")(check_config)
    app.add_typer(_evaluation(), name="eval")
    app.add_typer(build_keys(), name="keys")
    return app


def _evaluation() -> typer.Typer:
    commands = typer.Typer(
        no_args_is_help=True, help="Measure what compression keeps, on your own question sets."
    )
    commands.command("survival")(survival)
    commands.command("speed")(speed)
    commands.command("judge")(judge)
    commands.command("tasks")(tasks)
    commands.command("plot")(plot)
    return commands


def main() -> None:
    """Run the command line."""
    build()()
