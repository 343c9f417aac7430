"""Ends that people and programs use: each parses and prints, and uses only the public door of her2crc."""
