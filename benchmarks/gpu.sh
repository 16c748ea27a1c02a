#!/bin/sh
# What the heavy stage costs with an NVIDIA card: decoding, encoding and the whole stage, appended to JOURNAL.md.
# Bring the wheels of the extra gpu along; nothing is downloaded. Usage: benchmarks/gpu.sh [CLIP...]
set -eu
cd "$(dirname "$0")/.."
if ! cards=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null); then
    echo "There is no NVIDIA card here that nvidia-smi knows, so nothing was measured; run this where one is." >&2
    exit 1
fi
echo "$cards"
export CARDS="$cards"
exec "${PYTHON:-python3}" -m benchmarks.gpu "$@"
