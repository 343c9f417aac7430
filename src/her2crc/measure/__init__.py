"""Numbers with intervals that are true: tissue sequencing, in situ hybridisation and plasma, with each rule's chance.

Stands above the flow: a measurement ends in facts of a specimen, which ``assess`` judges like any others.
"""
