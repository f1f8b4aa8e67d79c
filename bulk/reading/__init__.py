"""Reads CSV files of devices, whatever wrote them: streaming, in constant memory, no database."""
