"""Front end for in situ hybridisation: counts of signals per nucleus, and what they say with which certainty."""
