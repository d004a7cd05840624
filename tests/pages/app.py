"""The dashboard run by AppTest, for all tests of pages."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "dashboard" / "app.py")


def opened(page: str = "", **params: str) -> AppTest:
    """The dashboard with these parameters in its link, on `page`, or where the link leads."""
    app = AppTest.from_file(APP, default_timeout=200)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    if page:
        app.switch_page(f"app_pages/{page}.py").run()
    assert not app.exception
    return app
