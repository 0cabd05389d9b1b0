"""Configuration of the documentation site: `make docs` builds it, and no page of it asks another host for anything."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

lexers["csv"] = TextLexer()


project = "openbell"
author = "the openbell authors"
html_show_copyright = False
version = release = version_of("openbell")
html_title = f"openbell {version}"

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
extensions = ["gallery", "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # a test executes them
default_role = "py:obj"
suppress_warnings = ["ref.python"]  # a word of a docstring may name several things

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_inherit_docstrings = True
napoleon_use_ivar = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "monokai"
html_show_search_summary = False  # it would fetch pages, which a browser refuses without a server
