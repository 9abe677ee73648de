"""The `tersely` command. Each subcommand lives in proxy/commands/ and is imported when it runs."""

import typer


def build() -> typer.Typer:
    """Return the command-line application with every subcommand registered."""
    from proxy.commands import check_config, compress, demo, savings, serve  # noqa: PLC0415

    app = typer.Typer(
        name="tersely", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.command("serve")(serve.serve)
    app.command("demo")(demo.demo)
    app.command("compress")(compress.compress)
    app.command("savings")(savings.savings)
    app.command("check-config")(check_config.check_config)
    return app


def main() -> None:
    """Run the command line."""
    build()()
