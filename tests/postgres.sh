#!/bin/sh
# A PostgreSQL of a test's own: prints its address, and is gone with its data when stdin closes.
# A line `stop` or `start` on stdin does that to the server; `stopped` or `started` answers.
# With CERTIFICATE KEY PORT it also listens on that port of 127.0.0.1, and speaks TLS there alone.
set -eu
bin=${BEIRA_POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)}
if [ ! -x "$bin/postgres" ]; then
    echo "PostgreSQL is missing: apt-get install postgresql, or name its programs' folder in BEIRA_POSTGRES_BIN" >&2
    exit 1
fi
folder=$(mktemp -d /tmp/beira-postgres-XXXXXX)
as=
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to be root
    chown postgres "$folder"
    as="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
options="-c listen_addresses='' -c unix_socket_directories='$folder' -c max_connections=400 -c shared_buffers=64MB"
if [ $# = 3 ]; then
    cp "$1" "$2" "$folder"
    chown "$(stat -c %u:%g "$folder")" "$folder"/*
    chmod 600 "$folder"/*
    options="$options -c ssl=on -c ssl_cert_file='$folder/$(basename "$1")' -c ssl_key_file='$folder/$(basename "$2")'"
    options="$options -c listen_addresses=127.0.0.1 -c port=$3"
fi
cd "$folder"
start() {
    # shellcheck disable=SC2086 # words
    $as "$bin/pg_ctl" --pgdata="$folder/data" --log="$folder/log" --wait --silent start >/dev/null \
        --options="$options"
}
stop() {
    # shellcheck disable=SC2086
    $as "$bin/pg_ctl" --pgdata="$folder/data" --wait --silent --mode="$1" stop >/dev/null
}
end() {
    stop immediate || true
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' INT TERM
# shellcheck disable=SC2086
$as "$bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
if [ $# = 3 ]; then
    sed -i 's/^host /hostssl /' "$folder/data/pg_hba.conf"
fi
start
echo "postgres://postgres:secret@$(echo "$folder" | sed 's,/,%2F,g')"
while read -r word; do
    case $word in
    stop) stop immediate && echo stopped ;;
    start) start && echo started ;;
    esac
done
