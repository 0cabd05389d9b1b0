"""Report of a check of stored bars as one HTML page, with heat maps of completeness and charts."""

from openbell.pages.data_check.check_page import check_page

__all__ = ["check_page"]
