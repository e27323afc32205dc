# Kindred in a container, with or without CUDA, from the pins of envs/requirements.txt:
#   docker build -t kindred .                                           CUDA
#   docker build -t kindred:no-cuda --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu .
# docs/guide/cluster.md says how to run it and what was tried.
FROM python:3.11-slim-bookworm

# torch of PyPI brings the CUDA libraries it was built with; only the driver is the host's.
ARG TORCH_INDEX=""
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 HF_HOME=/cache/huggingface
WORKDIR /opt/kindred

# Triton compiles a small C file when it starts.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*

COPY envs/requirements.txt envs/requirements.txt
RUN torch=$(grep '^torch==' envs/requirements.txt) \
    && python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install "$torch" ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
    && /opt/venv/bin/python -m pip install -r envs/requirements.txt

ENV PATH=/opt/venv/bin:$PATH
# The checkout, photos and weights are mounted: results and stores outlive the container.
WORKDIR /work
CMD ["snakemake"]
