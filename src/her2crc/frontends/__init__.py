"""Front ends make findings out of what is not a table of results: report text, sequencing files, ISH counts.

They import the model, the errors and the strict loader of their data files, and nothing else.
"""
