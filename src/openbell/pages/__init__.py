"""HTML pages that need no network.

`openbell.pages.page` makes a page from a template, with its styles and scripts inside. `openbell.pages.report` has the
report of a run, and `openbell.pages.data_check` that of a check of a store's bars.
"""
