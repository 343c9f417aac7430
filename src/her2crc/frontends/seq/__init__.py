"""Front end for copy numbers from sequencing: any caller's file to one :class:`Profile` a sample.

One small module a kind of file; which table is which, and where ERBB2 lies in each genome build, is data
(``knowledge/terms/seq.yaml``). Nothing is interpreted here: :mod:`her2crc.measure.tissue` does that.
"""
