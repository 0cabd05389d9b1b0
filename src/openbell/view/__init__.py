"""Web pages of the runs and the store of this machine, served to its own browser.

`openbell.view.app` makes the application, and `openbell.view.server` serves it. Pages are made from the templates and
scripts of `openbell.pages`.
"""
