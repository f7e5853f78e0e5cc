# Hirewire as one image: `hirewire` is the entry, the command says which program.
# Every package comes hash-locked out of requirements.lock. Nothing is written below / while it runs but
# in /tmp, and in /var/lib/hirewire, where a volume belongs.
# The base image is pinned by its tag. Where images are mirrored, pin its digest as well: TAG@sha256:...
FROM python:3.11.15-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build

COPY requirements.lock requirements-dev.lock ./
RUN python -m venv /opt/hirewire \
    && /opt/hirewire/bin/python -m pip install --no-deps --require-hashes --only-binary :all: -r requirements.lock

# What makes the wheel of Hirewire itself, and what that needs: from the other lock, into a folder that stays behind.
RUN awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } wanted' \
        requirements-dev.lock >build.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/python -m pip install --no-deps --require-hashes --only-binary :all: -r build.lock

COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY connectors connectors
COPY worker worker
RUN /opt/build/bin/python -m hatchling build --target wheel \
    && /opt/hirewire/bin/python -m pip install --no-deps --no-index dist/*.whl \
    && /opt/hirewire/bin/python -m pip uninstall --yes pip setuptools


FROM python:3.11.15-slim-bookworm

RUN python -m pip uninstall --yes pip setuptools wheel \
    && groupadd --gid 10001 hirewire \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hirewire \
    && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/hirewire
COPY --from=build /opt/hirewire /opt/hirewire

ENV PATH=/opt/hirewire/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
WORKDIR /etc/hirewire
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["hirewire"]
CMD ["--help"]
