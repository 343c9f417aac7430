"""Front end for in situ hybridisation: a table of counted signals to the counts of each specimen."""
