#!/bin/sh
# Prefect's own database, beside ours; run by the image once, when the volume is new.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "CREATE DATABASE prefect"
