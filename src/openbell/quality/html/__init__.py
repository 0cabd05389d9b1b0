"""The report of a check as one HTML page without scripts.

Heat maps of completeness and charts are inline SVG.
"""

from openbell.quality.html.page import report_page

__all__ = ["report_page"]
