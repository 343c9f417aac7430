"""Front end for prose: HER2 findings out of report text, each with its place in the text."""

from her2crc.frontends.text.extract import extract
from her2crc.frontends.text.findings import Finding, Marker, Reading, Review, Span, as_json
from her2crc.frontends.text.languages import Languages, load_languages

__all__ = ["Finding", "Languages", "Marker", "Reading", "Review", "Span", "as_json", "extract", "load_languages"]
