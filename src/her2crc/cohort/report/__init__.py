"""The report on a screened cohort: what the verdicts add up to, with every denominator and interval.

``load`` (what `screen` wrote) -> one module a section -> ``disclosure`` (small cells) -> ``render`` (HTML, CSV, JSON).
Sections hold tables of typed cells; pictures are drawn from those tables, so that nothing is shown twice or leaks.
"""
