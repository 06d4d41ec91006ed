"""Hooks of schemathesis for `cargo xtask contract`.

Enters: the fixture that the task made (a JSON file, named by EBP_CONTRACT). Leaves: requests that
hit what is there (a UUID that is made up is always 404), further checks, and which operation gave
which status (a JSON file), so that a run in which nothing ever succeeded is none. Absent: anything
that would turn an answer into another, or drop a failure.
"""

import atexit
import json
import os
import threading
import time
import uuid
import zlib
from urllib.parse import urlsplit

import requests
import requests.auth
import schemathesis

with open(os.environ["EBP_CONTRACT"], encoding="utf-8") as file:
    FIXTURE = json.load(file)
IDENTITY = FIXTURE["identity"]
FOREIGN = IDENTITY["foreign"]
# `usual` or `full`.
DEPTH = os.environ["EBP_CONTRACT_DEPTH"]

# The sentences by which a body that is of its form may be refused (422).
NO_SCHEMA_CAN_SAY = (
    "must be at least 10 minutes ago",
    "must be later than `from`",
    "occurs twice",
    "must not be set",
    "must not be set for this kind",
    "must be one that this device reads",
    "must be no more than the telegrams",
    "must be no more than the adults",
    "must be five digits in Germany",
    "is that of another meter here",
    "must be the place of a PV-GENERATION meter",
    "belongs to a participant of another name",
    "belongs to another participant",
    "is registered already",
    "must be one of the household",
    "must be a PV-GENERATION meter of the household",
    "must stay PV-GENERATION while a photovoltaic system is connected to it",
    "must be a request (PKCS#10) signed by its own key",
    "must be of another key than the device's",
    "must not be set while the survey has no texts",
    "must say which text was agreed to: the survey has texts (GET /survey)",
    "must be a language that the survey's texts have",
    "must not be in the future",
    "must not be before consent was granted",
    "must lie ahead, by no more than 400 days",
    "contradicts home_battery",
    "is asked of PV-GENERATION meters only",
    "must be null for a meter that was taken down",
    "must differ from `from`",
    "must not be in quiet hours",
    "is no time zone that this machine knows",
    "must be 1 to 10 rising shares from 1 to 100, the last of them 100",
    "names a device twice",
)

# What ends a household.
ENDING = (
    "DELETE /management/household/{household}",
    "POST /management/household/{household}/revocation",
)

# The survey's further purpose of consent.
PURPOSE = "later-studies"

# Of none that is there.
NO_HOUSEHOLD = "00000000-0000-4000-8000-000000000000"

_lock = threading.Lock()
_statuses: dict = {}
_known = {kind: list(FIXTURE[kind]) for kind in ("households", "meters", "pv_systems", "devices")}
_removable = {"households": [], "meters": [], "pv_systems": [], "devices": []}
_certificates = [tuple(pair) for pair in FIXTURE["certificates"]]
_tokens = []
_jobs = []
_exports = []
_alerts = []
_to_grant = FIXTURE["spares"][:2]
_to_revoke = FIXTURE["spares"][2:6]
_to_export = FIXTURE["spares"][6]
_to_withdraw = FIXTURE["spares"][7:]
_messages = []
_asked_without = set()


def _is_random(case):
    """Whether chance made it, with what is new in each run: identifiers and the time.

    What the documentation lacks and only chance finds does not stop a change that has nothing to do with
    it: it is told, and fails where everything is asked.
    """
    return case.meta is None or case.meta.phase.name.value in ("fuzzing", "stateful")


def _is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def _has_succeeded(case):
    """Whether the operation did what it is for, once at least."""
    return any(status.startswith("2") for status in _statuses.get(case.operation.label, {}))


def _is_left(case, made_up):
    """Whether what was made up is left as it is: one time out of four, once the operation has succeeded.

    Which ones these are depends on identifiers that are new in each run. Before a success all of them
    give way, or a run could end without any.
    """
    return _has_succeeded(case) and zlib.crc32(repr(made_up).encode()) % 4 == 0


def _pick(values, case, salt):
    """One of them, the same for the same case."""
    return values[zlib.crc32(f"{salt}{case.path_parameters}{case.query}".encode()) % len(values)]


def _fill_path(case):
    """Identifiers that are made up give way to known ones."""
    parameters = case.path_parameters or {}
    path = case.operation.path
    if _is_left(case, sorted(parameters.items())):
        return
    if "purpose" in parameters:
        parameters["purpose"] = PURPOSE
        return
    if "serial" in parameters:
        if not any(device == parameters["uuid"] for device, _ in _certificates):
            device, serial = _pick(_certificates, case, "serial")
            parameters.update(uuid=device, serial=serial)
        return
    if path.endswith("/silence"):
        _fill_silence(case, parameters)
        return
    removes = case.operation.method.upper() == "DELETE"
    if removes and path == "/management/household/{household}":
        if _removable["households"]:
            parameters["household"] = _removable["households"].pop()
        return
    if "file" in parameters:
        parameters["file"] = _pick(("DEA23.svg", "DE714.svg"), case, "file")
        return
    if "household" in parameters and parameters["household"] not in _known["households"]:
        parameters["household"] = _known["households"][0]
    if path.endswith("/revocation"):
        # Each can be revoked once.
        parameters["household"] = _to_withdraw.pop()["household"] if _to_withdraw else NO_HOUSEHOLD
    elif "/job/" in path:
        _fill_job(case, parameters)
    elif "/message/" in path:
        if _messages:
            parameters["uuid"] = _messages.pop()
    elif "/alert/" in path:
        if _alerts and parameters.get("uuid") not in _alerts:
            parameters["uuid"] = _pick(_alerts, case, "alerts")
    elif "uuid" in parameters:
        kind = "pv_systems" if "pv_system" in path else "devices" if "/device/" in path else "meters"
        # What the others of this run need stays; what is removed was made for it.
        if removes:
            if _removable[kind]:
                parameters["uuid"] = _removable[kind].pop()
        elif parameters["uuid"] not in _known[kind]:
            parameters["uuid"] = _pick(_known[kind], case, kind)


def _fill_series(case):
    """A day of a time zone is where rows of each step but months begin; two months are not too long."""
    query = case.query or {}
    stretches = {"PT15M": ("2026-03-29", "2026-04-01"), "P1M": ("2026-01-01", "2026-03-01")}
    query["from"], query["to"] = stretches.get(query.get("step"), ("2026-02-28", "2026-04-01"))
    query.pop("zone", None)
    case.query = query


def _fill_silence(case, parameters):
    """A device that is silenced, where its silence is asked for or ended."""
    parameters["uuid"] = _pick(_known["devices"], case, "silence")
    if case.operation.method.upper() == "POST":
        return
    manage = _as_group("administrator")
    path = f"{FIXTURE['url']}/management/device/{parameters['uuid']}/silence"
    begun = requests.post(path, json={"reason": "For the contract"}, **manage)
    assert begun.status_code == 201, begun.text


def _fill_job(case, parameters):
    """One that can be cancelled still runs, one that can be retried has failed, archives are of exports."""
    succeeded = _statuses.get(case.operation.label, {}).get("200")
    if _sees_jobs() and case.operation.path.endswith("/cancel") and not succeeded:
        parameters["uuid"] = _start_long_import()
    elif _sees_jobs() and case.operation.path.endswith("/retry") and not succeeded:
        administers = IDENTITY["administers"]
        parameters["uuid"] = _cancelled_report() if administers else _failed_job()
    elif _sees_jobs() and case.operation.path.endswith("/archive") and not IDENTITY["administers"]:
        parameters["uuid"] = _exported()
    elif _jobs and parameters["uuid"] not in _jobs:
        parameters["uuid"] = _pick(_jobs, case, "jobs")


def _sees_jobs():
    return IDENTITY["scheme"] == "group"


def _registration(email, postal_code="51147"):
    return {
        "participant": {"name": "By Mistake", "email": email},
        "address": {"street": "Irrweg 1", "postal_code": postal_code, "city": "Köln", "country": "DE"},
        "metadata": {
            "children": 0,
            "adults": 1,
            "adults_with_job": 1,
            "heat_pump": False,
            "electric_vehicle_charger": False,
            "home_battery": False,
        },
        "meters": [{"type": "ELECTRICITY", "model": "MT175"}],
    }


def _as_group(who):
    """What requests of a group carry."""
    return {"headers": {"Authorization": FIXTURE[who]}, "verify": FIXTURE["ca"], "timeout": 30}


def _start_import(registrations, dry_run):
    body = {"kind": "household-import", "dry_run": dry_run, "file": "\n".join(map(json.dumps, registrations))}
    made = requests.post(FIXTURE["url"] + "/management/job", json=body, **_as_group("researcher"))
    assert made.status_code == 202, made.text
    return made.json()["uuid"]


def _start_long_import():
    """An import that takes a while; one that is not stopped in time registers its households."""
    run = uuid.uuid4().hex
    return _start_import([_registration(f"{run}.{number}@example.org") for number in range(250)], False)


def _failed_job():
    """An import that is refused for its postal code, once it has failed."""
    shown = _ended(
        _start_import([_registration("failed@example.org", postal_code="1")], False), _as_group("researcher")
    )
    assert shown["state"] == "failed", shown
    return shown["uuid"]


def _cancelled_report():
    """A risk report of the administrators that was cancelled: imports are not theirs to retry."""
    manage = _as_group("administrator")
    url = FIXTURE["url"] + "/management/job"
    for _ in range(10):
        # A report of a small survey is there at once: it waits behind more imports than a server does
        # at a time.
        for _ in range(3):
            _start_long_import()
        made = requests.post(url, json={"kind": "risk-report"}, **manage).json()["uuid"]
        requests.post(f"{url}/{made}/cancel", **manage)
        if _ended(made, manage)["state"] == "cancelled":
            return made
    raise AssertionError("no report was cancelled in time")


def _exported():
    """An export that has succeeded, made once a run."""
    if not _exports:
        manage = _as_group("researcher")
        # A consent of the last ten minutes is in no export. Of one that was revoked only its month is left,
        # which began before that.
        ended = f"{FIXTURE['url']}/management/household/{_to_export['household']}/revocation"
        today = time.strftime("%Y-%m-%d", time.gmtime())
        answer = requests.post(ended, json={"received_on": today, "channel": "letter"}, **manage)
        assert answer.status_code == 200, answer.text
        made = requests.post(FIXTURE["url"] + "/management/job", json={"kind": "export"}, **manage)
        assert made.status_code == 202, made.text
        shown = _ended(made.json()["uuid"], manage)
        assert shown["state"] == "succeeded", shown
        _exports.append(shown["uuid"])
    return _exports[0]


def _ended(job, manage):
    """The job, once it is neither waiting nor running."""
    for _ in range(600):
        shown = requests.get(f"{FIXTURE['url']}/management/job/{job}", **manage).json()
        if shown["state"] not in ("waiting", "running"):
            return shown
        time.sleep(0.1)
    raise AssertionError(f"the job has not ended in a minute: {shown}")


def _keep_household(case):
    """The household that the others of this run need is neither removed nor revoked, whatever led to it."""
    parameters = case.path_parameters or {}
    if case.operation.label in ENDING and parameters.get("household") in _known["households"]:
        parameters["household"] = NO_HOUSEHOLD


class _Bearer(requests.auth.AuthBase):
    def __init__(self, authorization):
        self.authorization = authorization

    def __call__(self, request):
        request.headers["Authorization"] = self.authorization
        return request


def _as_spare(spares, case, kwargs):
    """What can be done once only is done by households that are there for that."""
    spare = spares.pop(0) if len(spares) > 1 else spares[0]
    if IDENTITY["scheme"] == "certificate":
        kwargs["cert"] = tuple(spare["certificate"])
    elif (case.headers or {}).get("Authorization") == IDENTITY["authorization"]:
        # Headers of the command line come after this hook, and `auth` after them.
        kwargs["auth"] = _Bearer(spare["authorization"])


def _prepare():
    """Grants consents, makes tokens by which devices are enrolled, and what can be removed."""
    spares = [spare["certificate"] for spare in _to_revoke + [_to_export] + _to_withdraw]
    for certificate in FIXTURE["consenting"] + spares:
        answer = requests.post(
            FIXTURE["url"] + "/household/consent", cert=tuple(certificate), verify=FIXTURE["ca"], timeout=30
        )
        assert answer.status_code == 201, answer.text
    for certificate in FIXTURE["consenting"]:
        answer = requests.post(
            f"{FIXTURE['url']}/household/consent/purpose/{PURPOSE}",
            json={"language": "de"},
            cert=tuple(certificate),
            verify=FIXTURE["ca"],
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
    for number in range(20):
        answer = requests.post(
            FIXTURE["url"] + "/household/message",
            json={"about": "other", "text": f"message {number}"},
            cert=tuple(FIXTURE["consenting"][0]),
            verify=FIXTURE["ca"],
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        _messages.append(answer.json()["uuid"])
    # An incident is there to be resolved, whichever is asked for first.
    for meter in FIXTURE["meters"]:
        for kind in ("SERIAL-PORT-UNAVAILABLE", "OBIS-CODES-UNAVAILABLE"):
            answer = requests.post(
                f"{FIXTURE['url']}/household/meter/{meter}/incident/report",
                json={"type": kind},
                cert=tuple(FIXTURE["consenting"][0]),
                verify=FIXTURE["ca"],
                timeout=30,
            )
            assert answer.status_code in (200, 201), answer.text
    manage = _as_group("administrator")
    for _ in range(3):
        made = requests.post(
            FIXTURE["url"] + "/management/device", json={"household": FIXTURE["households"][0]}, **manage
        )
        assert made.status_code == 201, made.text
        path = f"/management/device/{made.json()['uuid']}/enrolment"
        answer = requests.post(FIXTURE["url"] + path, json={}, **manage)
        assert answer.status_code == 201, answer.text
        _tokens.append(answer.json()["token"])
    household = f"{FIXTURE['url']}/management/household/{FIXTURE['households'][0]}"
    system = {"nominal_power": 1, "azimuth": 90, "tilt": 20, "installed_on": "2024-02-29"}
    device = {"household": FIXTURE["households"][0]}
    for kind, who, url, body in (
        ("meters", "researcher", f"{household}/meter", {"type": "ELECTRICITY", "model": "EASY"}),
        ("pv_systems", "researcher", f"{household}/pv_system", system),
        ("devices", "administrator", f"{FIXTURE['url']}/management/device", device),
    ):
        for _ in range(4):
            manage["headers"] = {"Authorization": FIXTURE[who]}
            made = requests.post(url, json=body, **manage)
            assert made.status_code == 201, made.text
            _removable[kind].append(made.json()["uuid"])
    manage["headers"] = {"Authorization": FIXTURE["researcher"]}
    for number in range(4):
        registration = _registration(f"mistake{number}@example.org")
        made = requests.post(f"{FIXTURE['url']}/management/household", json=registration, **manage)
        assert made.status_code == 201, made.text
        _removable["households"].append(made.json()["household"])


_prepare()


def _keep_search(case):
    """A cursor is of an order; administrators do not search; any version is changed."""
    if case.operation.label == "GET /management/household" and case.query:
        searches = not IDENTITY["administers"]
        kept = {"limit", "q", "consent", "sort"} if searches else {"limit"}
        case.query = {name: value for name, value in case.query.items() if name in kept}
    for name in list(case.headers or {}):
        if name.lower() == "if-match" and not _is_left(case, case.path_parameters):
            case.headers[name] = "*"


@schemathesis.hook
def before_call(context, case, kwargs):
    label = case.operation.label
    if label.endswith(" /household/consent") and label[:3] != "GET":
        with _lock:
            _as_spare(_to_grant if label.startswith("POST") else _to_revoke, case, kwargs)
    is_positive = _is_positive(case)
    if is_positive:
        _fill_path(case)
        if case.operation.path.endswith(("/series", "/summary")):
            _fill_series(case)
        if case.operation.path == "/survey" and case.query:
            # Which instants belong together no schema can say.
            case.query = {"prices_from": "2026-03-28T23:00:00Z", "prices_to": "2026-03-29T22:00:00Z"}
    _keep_household(case)
    if not is_positive:
        return
    _keep_search(case)
    if (case.headers or {}).get("If-Match") == "":
        # An empty header is sent where the generator means none.
        del case.headers["If-Match"]
    with _lock:
        if label == "POST /household/consent" and isinstance(case.body, dict):
            # The survey has no texts.
            case.body = {}
        elif label.endswith("/revocation") and isinstance(case.body, dict):
            case.body["received_on"] = time.strftime("%Y-%m-%d", time.gmtime())
        elif label == "POST /device/enroll" and isinstance(case.body, dict) and _tokens:
            case.body = {"token": _tokens.pop(), "csr": FIXTURE["csr"]}
        elif label in ("POST /device/renew", "POST /device/frontend") and isinstance(case.body, dict):
            case.body = {"csr": FIXTURE["csr"]}
        elif label == "GET /management/device/{uuid}/coverage":
            # Which days belong together no schema can say.
            day = "2026-01-01" if (case.query or {}).get("from") else None
            case.query = {"from": day, "to": "2026-02-01"} if day else {}
        elif label == "POST /management/job" and isinstance(case.body, dict) and not _is_left(case, case.body):
            # Which members belong together no schema can say, and others may ask for this kind alone.
            case.body = {"kind": "risk-report"}
        elif label == "POST /management/device" and isinstance(case.body, dict) and not _is_left(case, case.body):
            case.body = {"household": _known["households"][0], "meters": FIXTURE["meters"][:1]}


@schemathesis.hook
def after_call(context, case, response):
    label = case.operation.label
    with _lock:
        counts = _statuses.setdefault(label, {})
        status = str(response.status_code)
        counts[status] = counts.get(status, 0) + 1
        if response.status_code == 202 and label == "POST /management/job":
            _jobs.append(response.json()["uuid"])
        if response.status_code == 202 and label == "POST /management/alert/test":
            _alerts.append(response.json()["uuid"])
        if response.status_code == 201 and not FOREIGN:
            made = response.json()
            if label == "POST /management/household/{household}/meter":
                _known["meters"].append(made["uuid"])
            elif label == "POST /management/household/{household}/pv_system":
                _known["pv_systems"].append(made["uuid"])
        if sum(counts.values()) % 20 == 1:
            _write()


def _write():
    with open(os.environ["EBP_CONTRACT_STATUSES"], "w", encoding="utf-8") as out:
        json.dump(_statuses, out)


atexit.register(_write)


@schemathesis.check
def refused_for_what_no_schema_can_say(ctx, response, case):
    if response.status_code != 422:
        return
    for error in response.json()["errors"]:
        # An import's file is text to a schema.
        if (error["pointer"], case.operation.label) == ("/file", "POST /management/job"):
            continue
        if error["detail"] not in NO_SCHEMA_CAN_SAY:
            assert DEPTH == "usual" and _is_random(case), f"a schema could say: {error}"
            print(f"a schema could say: {case.operation.label}: {error}")


@schemathesis.check
def problems_are_problems(ctx, response, case):
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind == "application/problem+json", f"{response.status_code} comes as {kind}"
    assert response.json()["status"] == response.status_code


@schemathesis.check
def another_households_are_unknown(ctx, response, case):
    # Its own meters it may find out, and ask for them.
    theirs = set(_known["meters"]) & set((case.path_parameters or {}).values())
    if FOREIGN and theirs:
        assert response.status_code in (400, 401, 403, 404, 405, 413, 415, 422), "another household's"


@schemathesis.check
def a_certificate_is_needed(ctx, response, case):
    """`ignored_auth` for client certificates: the same request on a connection without one."""
    label = case.operation.label
    if IDENTITY["scheme"] != "certificate" or not 200 <= response.status_code < 300:
        return
    if not case.operation.definition.raw.get("security") or label in _asked_without:
        return
    _asked_without.add(label)
    sent = response.request
    url = FIXTURE["url"] + urlsplit(sent.url)._replace(scheme="", netloc="").geturl()
    headers = {k: v for k, v in sent.headers.items() if k.lower() in ("content-type", "accept")}
    answer = requests.request(sent.method, url, headers=headers, data=sent.body, verify=FIXTURE["ca"], timeout=30)
    assert answer.status_code == 401, f"without a certificate: {answer.status_code}"
