"""The chain of market processors: figures of each instrument beside its prices.

``chain.Plan`` makes it from the config, in order; ``figures.Figures`` is what
strategies, market-making and the screen read. See docs/processors.md.
"""
