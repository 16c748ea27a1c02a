#!/bin/sh
# Compiles the integer plate detector for the Edge TPU, on any x86-64 Debian or Ubuntu with Google's compiler:
#
#   deploy/compile_edgetpu.sh [NETWORK.tflite]      models/plate-detector-int8.tflite unless named
#
# writes NETWORK_edgetpu.tflite beside it, which the jetson pool's device takes by itself, and prints which operations
# run on the Edge TPU and which stay on the CPU.
set -eu

network=${1:-$(dirname "$0")/../models/plate-detector-int8.tflite}
if [ ! -f "$network" ]; then
    echo "compile_edgetpu: $network is not there; make it with 'make train-detector', or name another." >&2
    exit 1
fi
if ! command -v edgetpu_compiler >/dev/null; then
    echo "compile_edgetpu: edgetpu_compiler is not installed; it is the package edgetpu-compiler of Google's Coral" \
        "archive, for x86-64 only (coral.ai, \"Edge TPU Compiler\")." >&2
    exit 1
fi
compiled=${network%.tflite}_edgetpu.tflite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
edgetpu_compiler --show_operations --out_dir "$work" "$network"
mv "$work/$(basename "$compiled")" "$compiled.part"
mv "$compiled.part" "$compiled"
echo "compile_edgetpu: made $compiled"
