#!/bin/sh
# Puts the copy BACKUP of FOLDER into an empty database. PGHOST, PGUSER and so on say which it is.
# Whoever serves it before the revocations are applied gives back what participants had removed.
set -eu
case ${BACKUP:?} in
*/* | .*) echo "BACKUP is the name of a file, without its folder" >&2; exit 2 ;;
esac
file=${FOLDER:?}/$BACKUP
test -r "$file" || { echo "there is no $BACKUP; there are:" >&2; ls "$FOLDER" >&2; exit 2; }
tables=$(psql --no-psqlrc --no-align --tuples-only --command \
  "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')" "${PGDATABASE:?}")
if [ "$tables" != 0 ]; then
  echo "the database $PGDATABASE has tables ($tables): restore into an empty one" >&2
  exit 2
fi
# One transaction: a restore that breaks off leaves the database empty. Grants are part of the copy, and
# only a superuser may repeat them.
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$PGDATABASE" "$file"
echo "$BACKUP is restored; next its revocations are applied"
