"""The nouns of the workstation, immutable, and the Protocols parts meet through.

Everything above imports this package; it imports nothing of the project but the
kernel. Nothing here has behaviour that needs a clock, a file or a network.
"""
