# cxrtool in a container, with the lung model and one network's ImageNet weights inside.
#
#   docker build -t cxrtool .                              for processors
#   docker build -t cxrtool --build-arg TORCH=cu128 .      for NVIDIA cards
#   docker run --rm --network none -v "$PWD:/data" --user "$(id -u):$(id -g)" cxrtool \
#       ingest images/ -o images.csv
#
# TORCH is a backend of `uv pip install --torch-backend`; empty, it takes the builds of the package
# index, which need an NVIDIA card only to be fast. Add `--gpus all` to `docker run` to use a card,
# and `--shm-size 2g` for training.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
ARG TORCH=cpu
ENV PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY cxrtool cxrtool
COPY man man
COPY completions completions
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir 'uv>=0.8'
RUN python3 -m venv --without-pip /opt/cxrtool \
    && /opt/uv/bin/uv pip install --no-cache --python /opt/cxrtool/bin/python \
        ${TORCH:+--torch-backend=${TORCH}} '.[imagenet]' \
    && /opt/cxrtool/bin/cxrtool --version

FROM ${BASE}
LABEL org.opencontainers.image.title="cxrtool" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.description="Research software, not a medical device"
COPY --from=build /opt/cxrtool /opt/cxrtool
# Fonts and compiled code are cached where any user may write.
ENV PATH=/opt/cxrtool/bin:$PATH MPLCONFIGDIR=/tmp/matplotlib XDG_CACHE_HOME=/tmp/cache
RUN useradd --create-home --uid 1000 reader && mkdir /data && chown reader /data
USER 1000
WORKDIR /data
ENTRYPOINT ["cxrtool"]
CMD ["--help"]
