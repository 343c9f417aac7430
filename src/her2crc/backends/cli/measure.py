"""``measure``: the group of measurements; each is imported only when it runs."""

from __future__ import annotations

from importlib import import_module

import click

MEASUREMENTS = {
    "ish": ("measure_ish", "ish_command", "Counted signals of in situ hybridisation."),
    "plasma": ("measure_plasma", "plasma_command", "Copies in plasma, with the tumour fraction."),
    "tissue": ("measure_tissue", "tissue_command", "Copy numbers from sequencing of tissue."),
}


class Measurements(click.Group):
    """The measurements by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return sorted(MEASUREMENTS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of that name, imported now."""
        if name not in MEASUREMENTS:
            return None
        module, attribute, _ = MEASUREMENTS[name]
        command: click.Command = getattr(import_module(f"her2crc.backends.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the measurements without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in sorted(MEASUREMENTS.items())])


@click.command("measure", cls=Measurements)
def measure_group() -> None:
    """Turn what laboratories have into HER2 numbers with intervals, and say which rules each number meets."""
