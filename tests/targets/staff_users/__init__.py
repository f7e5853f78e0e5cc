"""The staff users style: `PATCH /api/users/{id}/` and `PATCH /api/users/me/`.

Real Django models, real REST framework validators, avatars in files on disk. No such server is public: it
behaves as its two documents say, and as plain REST framework where they say nothing.
"""

from tests.targets.style import Style

STYLE = Style(
    name="staff_users",
    urlconf="tests.targets.staff_users.urls",
    apps=("tests.targets.staff_users",),
)
