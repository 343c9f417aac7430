"""The command line: parses and prints; the library works."""

from her2crc.backends.cli.main import main

__all__ = ["main"]
