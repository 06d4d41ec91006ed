"""Repositories of releases as python-tuf makes them, in FOLDER: each a folder with `first_root.json`.

`make.py FOLDER`: what is signed is valid from now on, but for what has expired on purpose. Whether a
client is to accept a repository is not said here: `judge.py` knows.
"""

import copy
import hashlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
EARLIER = LATER - timedelta(days=60)
ROLES = ["root", "targets", "snapshot", "timestamp"]
PROGRAM = b"the program of python-tuf"


class Repository:
    """A repository whose parts can be bent before it is written."""

    def __init__(self, folder: Path, compact: bool = True, hashes: bool = True):
        self.folder, self.hashes = folder, hashes
        self.serializer = JSONSerializer(compact=compact)
        self.keys = {role: [CryptoSigner.generate_ed25519()] for role in ROLES}
        self.versions = dict.fromkeys(ROLES, 1)
        self.expires = dict.fromkeys(ROLES, LATER)
        self.threshold = dict.fromkeys(ROLES, 1)
        self.extra = {}
        self.targets = {}
        self.add("ebp/1.4.2/aarch64", PROGRAM, version="1.4.2", architecture="aarch64", recalled=[])

    def add(self, name: str, content: bytes, **custom):
        target = TargetFile.from_data(name, content, ["sha256"])
        target.unrecognized_fields["custom"] = custom
        self.targets[name] = target
        path = Path(name)
        digest = hashlib.sha256(content).hexdigest()
        file = self.folder / "targets" / path.parent / f"{digest}.{path.name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def root(self) -> Root:
        root = Root(version=self.versions["root"], expires=self.expires["root"], consistent_snapshot=True)
        for role in ROLES:
            for key in self.keys[role]:
                root.add_key(copy.deepcopy(key.public_key), role)
            root.roles[role].threshold = self.threshold[role]
        return root

    def write(self, signed, name: str, signers) -> bytes:
        signed.unrecognized_fields.update(self.extra)
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        content = metadata.to_bytes(self.serializer)
        file = self.folder / "metadata" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if name == "1.root.json":
            (self.folder / "first_root.json").write_bytes(content)
        return content

    def write_root(self, *old):
        self.write(self.root(), f"{self.versions['root']}.root.json", [*self.keys["root"], *old])

    def meta(self, role: str, content: bytes) -> MetaFile:
        version = self.versions[role]
        return MetaFile.from_data(version, content, ["sha256"]) if self.hashes else MetaFile(version)

    def write_all(self, signers=None):
        signers = signers or self.keys
        targets = Targets(self.versions["targets"], expires=self.expires["targets"], targets=self.targets)
        content = self.write(targets, f"{self.versions['targets']}.targets.json", signers["targets"])
        meta = {"targets.json": self.meta("targets", content)}
        snapshot = Snapshot(self.versions["snapshot"], expires=self.expires["snapshot"], meta=meta)
        content = self.write(snapshot, f"{self.versions['snapshot']}.snapshot.json", signers["snapshot"])
        meta = self.meta("snapshot", content)
        timestamp = Timestamp(self.versions["timestamp"], expires=self.expires["timestamp"], snapshot_meta=meta)
        self.write(timestamp, "timestamp.json", signers["timestamp"])


def main(folder: Path):
    def make(name, **options) -> Repository:
        return Repository(folder / name, **options)

    for name, options in [("plain", {}), ("indented", {"compact": False}), ("no-hashes", {"hashes": False})]:
        repository = make(name, **options)
        repository.write_root()
        repository.write_all()

    repository = make("thresholds")
    for role in ["root", "targets"]:
        repository.keys[role] = [CryptoSigner.generate_ed25519() for _ in range(3)]
        repository.threshold[role] = 2
    repository.write_root()
    repository.write_all({**repository.keys, "targets": repository.keys["targets"][1:]})

    repository = make("rotated")
    repository.write_root()
    for version in range(2, 8):
        old = repository.keys["root"]
        repository.keys = {role: [CryptoSigner.generate_ed25519()] for role in ROLES}
        repository.versions["root"] = version
        repository.write_root(*old)
    repository.write_all()

    repository = make("unknown-members")
    repository.extra = {"later": {"a": [1, None, True, {"b": 'é"\\\n\x7f😀'}]}, "\ufb33": 1, "😀": -2}
    repository.write_root()
    repository.write_all()

    repository = make("other-kinds-of-keys")
    repository.keys["targets"].append(CryptoSigner.generate_ecdsa())
    repository.write_root()
    repository.write_all()

    repository = make("other-targets")
    repository.add("manual/ä.pdf", b"another", note="\u2028")
    repository.write_root()
    repository.write_all()

    for role in ROLES:
        repository = make(f"expired-{role}")
        repository.expires[role] = EARLIER
        repository.write_root()
        repository.write_all()

    repository = make("expired-root-followed-by-another")
    repository.expires["root"] = EARLIER
    repository.write_root()
    repository.expires["root"], repository.versions["root"] = LATER, 2
    repository.write_root()
    repository.write_all()

    for role in ROLES[1:]:
        repository = make(f"stranger-signs-{role}")
        repository.write_root()
        repository.write_all({**repository.keys, role: [CryptoSigner.generate_ed25519()]})

    repository = make("too-few-sign")
    repository.keys["targets"] = [CryptoSigner.generate_ed25519() for _ in range(3)]
    repository.threshold["targets"] = 2
    repository.write_root()
    repository.write_all({**repository.keys, "targets": repository.keys["targets"][:1]})

    repository = make("root-not-signed-by-the-old-keys")
    repository.write_root()
    repository.keys["root"], repository.versions["root"] = [CryptoSigner.generate_ed25519()], 2
    repository.write_root()
    repository.write_all()

    repository = make("root-skips-a-version")
    repository.write_root()
    repository.versions["root"] = 3
    repository.write_root()
    metadata = folder / "root-skips-a-version" / "metadata"
    (metadata / "3.root.json").rename(metadata / "2.root.json")
    repository.write_all()

    repository = make("snapshot-of-another-version")
    repository.hashes = False
    repository.write_root()
    repository.write_all()
    metadata = folder / "snapshot-of-another-version" / "metadata"
    repository.versions["snapshot"] = 2
    repository.write_all()
    (metadata / "1.snapshot.json").replace(metadata / "2.snapshot.json")


main(Path(sys.argv[1]))
