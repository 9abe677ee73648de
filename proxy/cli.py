"""The `tersely` command. Each subcommand lives in proxy/commands/."""

import typer

from proxy.commands.calibrate import calibrate
from proxy.commands.check_config import check_config
from proxy.commands.compress import compress
from proxy.commands.demo import demo
from proxy.commands.distill import build_distill
from proxy.commands.eval_compare import compare
from proxy.commands.eval_ranking import ranking
from proxy.commands.evaluate import plot, speed, survival
from proxy.commands.evaluate_corpus import corpus
from proxy.commands.evaluate_models import judge, tasks
from proxy.commands.export import export
from proxy.commands.keys import build_keys
from proxy.commands.savings import savings
from proxy.commands.serve import serve
from proxy.commands.train import train
from proxy.commands.tune import tune


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
    app.command("train")(train)
    app.command("tune")(tune)
    app.command("export")(export)
    app.command("calibrate")(calibrate)
    app.add_typer(_evaluation(), name="eval")
    app.add_typer(build_distill(), name="distill")
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
    commands.command("compare")(compare)
    commands.command("ranking")(ranking)
    commands.command("corpus")(corpus)
    return commands


def main() -> None:
    """Run the command line."""
    build()()
