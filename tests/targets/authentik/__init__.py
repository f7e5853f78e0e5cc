"""The authentik style: `/api/v3/core/users/` as authentik 2025.12.4 was observed to answer.

The observations are the contract page of authentik; real Django with its error views stands behind them.
"""

from tests.targets.style import Style

STYLE = Style(
    name="authentik",
    urlconf="tests.targets.authentik.urls",
    apps=("tests.targets.authentik",),
    middleware=(
        "tests.targets.authentik.middleware.request_id",
        "django.middleware.locale.LocaleMiddleware",
    ),
)
