"""Plain frozen values that every stage shares: quantities, specimens, patients, verdicts, citations.

This package imports only the standard library and msgspec (typed, frozen structs).
"""
