"""Whether a program finds hosts by /etc/hosts and by a resolver, whatever nsswitch.conf names.

names.py PROGRAM [ARGUMENT...], as root in a mount and network namespace of its own: the program is
asked to connect to tcp://NAME:9. Nobody listens there, so that "refused" says that the name was found.
"""

import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HOSTS = "127.0.0.1 localhost\n127.0.0.1 in-hosts.example\n"
RESOLVER = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
KNOWN = b"\x06in-dns\x07example\x00"
# Of Debian, of Raspberry Pi OS, of Fedora, and of Debian with systemd-resolved.
SWITCHES = [
    "files dns",
    "files mdns4_minimal [NOTFOUND=return] dns",
    "files myhostname resolve [!UNAVAIL=return] dns",
    "files mymachines resolve [!UNAVAIL=return] dns myhostname",
]


def answer(question: bytes) -> bytes:
    """An address for the one known name, for others that there is none."""
    name_end = question.index(b"\x00", 12) + 1
    section = question[12 : name_end + 4]
    kind = struct.unpack("!H", question[name_end : name_end + 2])[0]
    known = section[:-4].lower() == KNOWN
    answers = 1 if known and kind == 1 else 0
    flags = 0x8180 if known else 0x8183
    head = question[:2] + struct.pack("!HHHHH", flags, 1, answers, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton("127.0.0.1")
    return head + section + (record if answers else b"")


def resolve(server: socket.socket) -> None:
    """Answers every question."""
    while True:
        question, address = server.recvfrom(512)
        server.sendto(answer(question), address)


def outcome(program: list[str], name: str) -> str:
    """What became of a name."""
    command = [*program, f"tcp://{name}:9", "--timeout", "2s"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if ran.returncode < 0 or ran.returncode >= 128:
        return f"died ({ran.returncode})"
    return "found" if "refused" in ran.stderr else f"not found ({ran.stderr.strip()})"


def main() -> int:
    """Tries each line of nsswitch.conf with each kind of name."""
    program = sys.argv[1:]
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=resolve, args=(server,), daemon=True).start()
    wrong = 0
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        (folder / "hosts").write_text(HOSTS)
        (folder / "resolv.conf").write_text(RESOLVER)
        # In this namespace alone.
        subprocess.run(["mount", "--bind", path, "/etc"], check=True)
        for switch in SWITCHES:
            (folder / "nsswitch.conf").write_text(f"hosts: {switch}\n")
            for name, wanted in [
                ("in-hosts.example", "found"),
                ("in-dns.example", "found"),
                ("nowhere.example", "not found"),
            ]:
                came = outcome(program, name)
                if not came.startswith(wanted):
                    print(f"{switch}: {name}: {came}", file=sys.stderr)
                    wrong += 1
            print(f"names in hosts and of a resolver, none that is nowhere, by `{switch}`")
        subprocess.run(["umount", "/etc"], check=True)
    return 1 if wrong else 0


sys.exit(main())
