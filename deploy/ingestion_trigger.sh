#!/bin/sh
# Tells the main server which clips have come in. For cron on the NAS, or whatever downloads clips:
#
#   */5 * * * *  DASHCAM_SERVER=http://main-server:8000 /usr/local/bin/ingestion_trigger.sh
#   ingestion_trigger.sh FILE...        # just these, below DASHCAM_ROOT
#
# Without FILE, every clip below $DASHCAM_ROOT/$DASHCAM_FOLDER that changed since the last run is told. Paths wait in
# a spool until the server has taken them: it may be switched off, a file may still grow. Exit status 75: try later.
set -eu

SERVER=${DASHCAM_SERVER:-http://main-server:8000}
TOKEN_FILE=${DASHCAM_TOKEN_FILE:-/etc/dashcam-processor/token}
AUTHORITY=${DASHCAM_AUTHORITY:-/etc/dashcam-processor/authority.crt} # who vouches for an https server, if it is there
STORE=${DASHCAM_STORE:-indoor_nas}
ROOT=${DASHCAM_ROOT:-/videos}
FOLDER=${DASHCAM_FOLDER:-raw}
STATE=${DASHCAM_STATE:-/var/lib/dashcam-processor/trigger}
BATCH=50

say() { echo "ingestion_trigger: $*" >&2; }
fail() { say "$2"; exit "$1"; }

[ -d "$ROOT" ] || fail 75 "$ROOT is not there: mount it, or name the NAS's folder in DASHCAM_ROOT."
[ -r "$TOKEN_FILE" ] || fail 1 "$TOKEN_FILE cannot be read: put the server's token there, or name it in DASHCAM_TOKEN_FILE."
case $(ls -ldL "$TOKEN_FILE") in
    -???------*) ;;
    *) fail 1 "$TOKEN_FILE can be read by others: chmod 600 $TOKEN_FILE" ;;
esac
mkdir -p "$STATE"
umask 077

# one at a time; a lock that a power cut left is a day old at most
lock=$STATE/lock
find "$STATE" -maxdepth 1 -name lock -mmin +1440 -exec rmdir {} \;
mkdir "$lock" 2>/dev/null || { say "another one is at work"; exit 0; }
work=$STATE/work.$$
trap 'rm -rf "$work" "$lock"' EXIT
trap 'exit 75' HUP INT TERM
mkdir "$work"

spool=$STATE/spool # one path below ROOT on each line, as it is written inside a JSON string
touch "$spool"

# names with control characters cannot be told on a line of their own; the server's own scan finds them
quoted() { grep -v '[[:cntrl:]]' | sed -e 's/[\\"]/\\&/g' || true; }

if [ $# -gt 0 ]; then
    for file in "$@"; do
        case $file in
            "$ROOT"/*) printf '%s\n' "${file#"$ROOT"/}" ;;
            /*) say "$file is not below $ROOT: left out" ;;
            *) printf '%s\n' "$file" ;;
        esac
    done | quoted >>"$spool"
elif [ -d "$ROOT/$FOLDER" ]; then
    # the stamp is made before the search, so that what comes in meanwhile is found next time
    : >"$work/stamp"
    newer=
    # by when a file came here, where this find can tell: what copies clips may keep the camera's times
    if [ -f "$STATE/stamp" ]; then
        find "$STATE" -maxdepth 0 -cnewer "$STATE" >/dev/null 2>&1 && newer="-cnewer $STATE/stamp" ||
            newer="-newer $STATE/stamp"
    fi
    # shellcheck disable=SC2086 # two words, or none
    (cd "$ROOT" && find "$FOLDER" -name '.?*' -prune -o -type f \( -name '*.[mM][pP]4' -o -name '*.[mM][oO][vV]' \
        -o -name '*.[tT][sS]' -o -name '*.[aA][vV][iI]' \) $newer -print) | quoted >>"$spool"
    mv "$work/stamp" "$STATE/stamp"
fi

sort -u "$spool" >"$work/todo"
cp "$work/todo" "$spool"
: >"$work/waiting"

post() { # FILE with at most BATCH paths: the answer goes to $work/answer
    {
        printf '{"files":['
        sed -e "s/.*/{\"device\":\"$STORE\",\"path\":\"&\"}/" -e '$!s/$/,/' "$1"
        printf ']}'
    } >"$work/body"
    # the token goes through standard input, where the list of processes does not show it
    {
        printf 'header = "Authorization: Bearer %s"\n' "$(cat "$TOKEN_FILE")"
        [ ! -r "$AUTHORITY" ] || printf 'cacert = "%s"\n' "$AUTHORITY"
    } |
        curl --config - --silent --show-error --fail --connect-timeout 10 --max-time 300 \
            --header 'Content-Type: application/json' --data-binary "@$work/body" \
            --output "$work/answer" "${SERVER%/}/api/v1/ingest"
}

total=$(wc -l <"$work/todo")
done=0
while [ "$done" -lt "$total" ]; do
    sed -n "$((done + 1)),$((done + BATCH))p" "$work/todo" >"$work/batch"
    if ! post "$work/batch"; then
        sed -n "$((done + 1)),\$p" "$work/todo" | cat "$work/waiting" - >"$work/left"
        mv "$work/left" "$spool"
        fail 75 "$SERVER did not take the clips: $((total - done)) wait in $spool for the next run."
    fi
    # each clip's answer on a line of its own; those that still grow are told again
    { tr '{' '\n' <"$work/answer"; echo; } >"$work/answers"
    sed -n -e 's/.*"status":"unreadable".*"reason":"\(.*\)"}.*/ingestion_trigger: \1/p' "$work/answers" >&2
    sed -n -e "s/.*\"uri\":\"$STORE:\(.*\)\",\"status\":\"waiting\".*/\1/p" "$work/answers" >>"$work/waiting"
    done=$((done + BATCH))
done
mv "$work/waiting" "$spool"
