#!/bin/sh
# Copies the database to a file of FOLDER and deletes copies that are older than DAYS. PGHOST, PGUSER and
# so on say which database it is. A copy that is there is whole: it was read to its end.
set -eu
umask 077
folder=${FOLDER:?} days=${DAYS:?}
name=$folder/ebp-$(date -u +%Y%m%dT%H%M%SZ).dump
# The dump of an empty database succeeds. While one is made anew it would be the newest copy.
tables=$(psql --no-psqlrc --no-align --tuples-only --command \
  "SELECT count(*) FROM pg_tables WHERE tablename = 'household'" "${PGDATABASE:?}")
if [ "$tables" = 0 ]; then
  echo "the database $PGDATABASE has no tables of ebp: nothing was copied" >&2
  exit 2
fi
trap 'rm -f "$name.part"' EXIT
pg_dump --format=custom --lock-wait-timeout=10min --file="$name.part" "${PGDATABASE:?}"
# To the end, without a database: a copy that breaks off is found.
pg_restore --file=/dev/null "$name.part"
sync "$name.part"
mv "$name.part" "$name"
sync "$folder"
# Only what this script wrote, and only once there is a newer one. Minutes, because days are rounded
# down.
find "$folder" -maxdepth 1 -name 'ebp-*.dump' -mmin "+$((days * 1440))" -print -delete
find "$folder" -maxdepth 1 -name 'ebp-*.dump.part' -mmin +1440 -print -delete
ls -l "$name"
