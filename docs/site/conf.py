"""The configuration of Sphinx for the site."""

from __future__ import annotations

import connform

project = "connform"
author = "the authors of connform"
project_copyright = "the authors of connform"
version = release = connform.__version__
html_title = f"connform {version}"

extensions = ["myst_parser", "docs.site.questions", "docs.site.sidebar"]
smartquotes = False
myst_heading_anchors = 6  # the anchors that GitHub makes of headings
myst_links_external_new_tab = False
myst_url_schemes = {"http": None, "https": None, "mailto": None}
suppress_warnings = [
    "misc.highlighting_failure",  # examples of mistakes, and languages that Pygments does not know
]

html_theme = "furo"
html_static_path = ["static"]
templates_path = ["templates"]
html_favicon = "static/icon.svg"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_theme_options: dict[str, object] = {"top_of_page_buttons": []}
html_use_index = False
highlight_language = "text"
pygments_style = "default"
pygments_dark_style = "github-dark"
