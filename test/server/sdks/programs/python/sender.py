"""Does with the Python SDK what it reads, line by line: see ../README.md."""

import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from segment.analytics.client import Client

TEXT = 'Größe 日本 😀 \u2028 </script> "quoted"'
WHEN = datetime(2025, 3, 30, 3, 30, 0, 123456, timezone(timedelta(hours=2)))


def numbers():
    return {
        "snowflake": 1541815603606036480,
        "aboveSafe": 9007199254740993,
        "maxLong": 2**63 - 1,
        "maxUnsigned": 2**64 - 1,
        "tenMillions": 1.2345678e7,
        "small": 1e-7,
        "large": 1e21,
        "negativeZero": -0.0,
        "third": 1 / 3,
        "decimal": Decimal("12345678901234567890.123456789"),
    }


def values(client):
    client.track("u1", "Numbers", numbers())
    client.track(
        "u1",
        TEXT,
        {"text": TEXT, "when": WHEN},
        context={"ip": "203.0.113.77", "tenant": 1541815603606036480},
        timestamp=WHEN,
        integrations={"Mixpanel": True},
        message_id="python-old-1",
    )
    # Without a zone the SDK takes what is long past for UTC.
    client.track("u1", "Naive", timestamp=datetime(2025, 3, 30, 1, 30, 0, 123456))
    client.identify("u1", numbers())
    client.group("u1", "g1", {"employees": 1.2345678e7})
    client.page(anonymous_id="a1", name="Home", properties={"width": 1e-7})
    client.screen(anonymous_id="a1", name="Main", properties={"nested": [numbers()]})
    client.alias("a1", "u1")


def failed(error, items):
    print(f"error: {len(items)} {error}", flush=True)


def main(host, write_key, encoding="plain"):
    client = Client(write_key, host=host, gzip=encoding == "gzip", on_error=failed)
    for line in sys.stdin:
        line = line.rstrip("\n")
        if line == "values":
            values(client)
        elif line.startswith("track "):
            client.track("u1", line.removeprefix("track "))
        elif line == "nan":
            client.track("u1", "Not a number", {"price": float("nan")})
        elif line == "flush":
            client.flush()
        else:
            raise ValueError(f"Unknown line: {line}")
    client.shutdown()


main(*sys.argv[1:])
