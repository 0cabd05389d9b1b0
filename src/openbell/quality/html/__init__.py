"""The report of a check as one HTML page without scripts: heat maps of completeness and charts, drawn as inline SVG."""

from openbell.quality.html.page import report_page

__all__ = ["report_page"]
