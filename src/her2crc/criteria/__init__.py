"""The language of rules: fields, expressions, loading, checking, running, explaining, exporting.

No clinical content lives here: every threshold, drug and sentence is data under ``her2crc/knowledge``.
"""
