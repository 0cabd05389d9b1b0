"""Bars and intervals: typed values, frozen, with no behaviour but their own."""
