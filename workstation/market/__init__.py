"""The market as the workstation knows it: quotes, books, bars, shared indicators.

``aggregator.Aggregator`` is the part that the engine runs; the rest are its pieces.
"""
