# One image for every process: the command says which one it is (`python -m services.composer`).
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
# Without pip, so that nothing in the final image can install anything.
RUN python -m venv --without-pip /opt/pipeloom
WORKDIR /src
# What changes least comes first: dependencies are installed again only when their lock changes. All come as wheels
# whose hashes are in the repository, so nothing is compiled and nothing unknown is run.
COPY requirements/build.lock requirements/server.lock requirements/
RUN python -m pip install --require-hashes --only-binary :all: -r requirements/build.lock \
    && python -m pip --python /opt/pipeloom install --require-hashes --only-binary :all: -r requirements/server.lock
COPY pyproject.toml README.md LICENSE ./
COPY events events
COPY pipeloom pipeloom
COPY schemas schemas
COPY services services
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/pipeloom install --no-deps dist/*.whl

FROM python:${PYTHON}-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Pipeloom" \
      org.opencontainers.image.description="Compose machine-learning steps into pipelines and keep their lifecycle." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# The base image comes without compiled modules: every start and every health check would compile them anew.
RUN python -m compileall -q "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
# A volume that is mounted for the first time takes its owner from the folder in the image.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/pipeloom --create-home pipeloom \
    && install --directory --owner pipeloom --group pipeloom --mode 0700 \
        /var/lib/pipeloom/keys /var/lib/pipeloom/secrets /var/lib/pipeloom/builder /var/lib/pipeloom/objects
COPY --from=build /opt/pipeloom /opt/pipeloom
ENV PATH=/opt/pipeloom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PIPELOOM_AUTH__SIGNING_KEY_FILE=/var/lib/pipeloom/keys/signing-key.pem \
    PIPELOOM_SECRETS__KEY_FILE=/var/lib/pipeloom/secrets/secrets.key \
    PIPELOOM_OBJECTS__LOCATION=/var/lib/pipeloom/objects \
    PIPELOOM_BUILDER__WORK_DIR=/var/lib/pipeloom/builder \
    PIPELOOM_LOG_FORMAT=json
USER pipeloom
WORKDIR /var/lib/pipeloom
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "services.gateway"]
