"""The AWX style: `/api/v2/users/` as AWX 24.6.1 was observed to answer.

The observations are the contract page of AWX; real Django models and validators stand behind them.
"""

from tests.targets.style import Style

STYLE = Style(
    name="awx",
    urlconf="tests.targets.awx.urls",
    apps=("tests.targets.awx",),
    middleware=(
        "tests.targets.awx.middleware.proxy",
        "tests.targets.awx.middleware.api_headers",
        "tests.targets.awx.middleware.named_urls",
    ),
)
