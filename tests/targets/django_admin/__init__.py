"""The Django-admin style: `PATCH /admin/users/{id}/` by a plain ModelSerializer.

Real `django.contrib.auth` users and real REST framework: their own validators answer.
"""

from tests.targets.style import Style

STYLE = Style(name="django_admin", urlconf="tests.targets.django_admin.urls")
