"""python-tuf judges repositories of releases: the reference for the client of `ebp-release`.

One request a line on standard input, as JSON: `first_root` is a file, `states` are repositories that are
refreshed one after the other by one client, each of which must be accepted but for the last, and `target`
is the name of a target to fetch afterwards. One answer a line: `ok` with the SHA-256 of the target, or the
name of what was raised. `EBP_TEST_NOW` is the instant to judge by.
"""

import datetime
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlparse

import tuf.ngclient._internal.trusted_metadata_set as trusted
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater


class Now(datetime.datetime):
    """The instant that is given."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromisoformat(os.environ["EBP_TEST_NOW"])


class Files(FetcherInterface):
    """Files of this machine by `file://`."""

    def _fetch(self, url):
        path = Path(unquote(urlparse(url).path))
        if not path.is_file():
            raise DownloadHTTPError("not found", 404)
        yield path.read_bytes()


def judge(request: dict) -> str:
    with tempfile.TemporaryDirectory() as folder:
        metadata, targets = Path(folder, "metadata"), Path(folder, "targets")
        metadata.mkdir()
        targets.mkdir()
        first_root = Path(request["first_root"]).read_bytes()
        for state in request["states"]:
            updater = Updater(
                str(metadata),
                f"file://{state}/metadata/",
                str(targets),
                f"file://{state}/targets/",
                fetcher=Files(),
                bootstrap=first_root,
            )
            last = state == request["states"][-1]
            try:
                updater.refresh()
            except Exception as error:
                if not last:
                    raise
                return type(error).__name__
        name = request.get("target")
        if not name:
            return "ok"
        info = updater.get_targetinfo(name)
        if info is None:
            return "no such target"
        content = Path(updater.download_target(info)).read_bytes()
        return f"ok {hashlib.sha256(content).hexdigest()}"


if "EBP_TEST_NOW" in os.environ:
    trusted.datetime.datetime = Now
for line in sys.stdin:
    print(judge(json.loads(line)), flush=True)
