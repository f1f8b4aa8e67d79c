"""How quick Gatehouse is, in ratios of one run on one machine; started by ``make bench``."""
