"""HTML pages that need no network.

`openbell.pages.page` makes a page of a template, with its styles and scripts inside. `openbell.pages.report` is the
report of a run, and `openbell.pages.data_check` that of a store's bars.
"""
