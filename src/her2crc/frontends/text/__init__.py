"""Front end for prose: HER2 findings out of report text, each with its place in the text."""

from pathlib import Path

from her2crc.compiled import compiled_folder

__path__[:0] = compiled_folder(Path(__file__).parent)

from her2crc.frontends.text.extract import extract  # noqa: E402  (looked for where the line above says)
from her2crc.frontends.text.findings import Finding, Marker, Reading, Review, Span, as_json  # noqa: E402
from her2crc.frontends.text.languages import Languages, load_languages  # noqa: E402

__all__ = ["Finding", "Languages", "Marker", "Reading", "Review", "Span", "as_json", "extract", "load_languages"]
