# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements/base.txt requirements/build.txt requirements/
RUN python -m venv /opt/tersely \
 && /opt/tersely/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/base.txt \
 && python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE config.yaml ./
COPY policies policies
COPY compressor compressor
COPY proxy proxy
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/tersely/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.12-slim
RUN groupadd --system --gid 10001 tersely \
 && useradd --system --uid 10001 --gid tersely --home-dir /nonexistent tersely \
 && install -d -o tersely -g tersely /data
COPY --from=build /opt/tersely /opt/tersely
COPY config.yaml /etc/tersely/config.yaml
ENV PATH=/opt/tersely/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_DATA_HOME=/data
# By number, so that Kubernetes' runAsNonRoot can tell.
USER 10001:10001
VOLUME /data
EXPOSE 8400
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8400/healthz', timeout=2)"]
# Inside a container the loopback address is reached by nobody, so it listens on every address. For
# that it wants proxy keys: mount a config with `access:`, or say `server: allow_open: true` in it
# where the port is published on 127.0.0.1 only.
CMD ["tersely", "serve", "--config", "/etc/tersely/config.yaml", "--host", "0.0.0.0"]
