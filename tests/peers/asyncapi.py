"""Real messages against the description that the hub serves: asyncapi.py DESCRIPTION MESSAGES

MESSAGES has one JSON object a line: topic, payload (a text), headers (user properties). Every topic must be described,
every payload and header be as described, and every channel but the packs' have a message.
"""

import json
import re
import sys

from jsonschema import Draft7Validator

document = json.load(open(sys.argv[1]))
channels = {
    name: re.compile("^" + re.sub(r"\\?\{[a-z]+\\?\}", "[a-z0-9-]+", re.escape(one["address"])) + "$")
    for name, one in document["channels"].items()
}
seen = {name: 0 for name in channels}


def check(schema, instance, what):
    # The whole document, so that references lead somewhere.
    errors = list(Draft7Validator({**document, **schema}).iter_errors(instance))
    assert not errors, f"{what}: {errors[0].message} at {list(errors[0].path)}"


for line in open(sys.argv[2]):
    message = json.loads(line)
    name = next((name for name, address in channels.items() if address.match(message["topic"])), None)
    assert name, f"{message['topic']} isn't described"
    described = document["components"]["messages"][name]
    seen[name] += 1
    if name == "pack":
        continue
    payload = json.loads(message["payload"])
    check(described["payload"], payload, message["topic"])
    # A message that lacks a field, or has one of another type, isn't as described.
    for field in document["components"]["schemas"][described["payload"]["$ref"].split("/")[-1]].get("required", []):
        less = {key: value for key, value in payload.items() if key != field}
        try:
            check(described["payload"], less, "")
        except AssertionError:
            continue
        raise AssertionError(f"{name} without {field} is taken for one")
    if "headers" in described:
        check(described["headers"], message["headers"], message["topic"])
for name, inner in [("retract", "Retractions"), ("rollout", "Rollout")]:
    assert inner in document["components"]["schemas"], inner
assert all(count > 0 for count in seen.values()), seen
print(seen)
