"""Other platforms at a hub: taxii2-client, stix2, stix2-validator and PyMISP of PyPI.

platforms.py ADDRESS ENFORCED OBSERVED FOLDER; tokens are `regulator`, `bank` and `nobody`. Fails at the first thing that
isn't as it must be; prints what it counted.
"""

import json
import sys
from pathlib import Path

import pymisp
import requests
import stix2
import taxii2client.v21 as taxii
from stix2validator import ValidationOptions, validate_string

ADDRESS, ENFORCED, OBSERVED, FOLDER = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
STATICS = 5
MEDIA = "application/taxii+json;version=2.1"


def fails(status, call):
    try:
        call()
    except requests.HTTPError as error:
        assert error.response.status_code == status, f"{error.response.status_code} {error.response.text}"
        return error.response
    raise AssertionError(f"it should have been refused with {status}")


def token(name):
    return (FOLDER / f"{name}.token").read_text().strip()


def server(name):
    return taxii.Server(f"{ADDRESS}/taxii2/", user=name, password=token(name))


def discovery():
    hub = server("regulator")
    assert hub.title == "Test hub" and len(hub.api_roots) == 1
    root = hub.default
    assert root.versions == [MEDIA] and root.max_content_length >= 1 << 20
    return {one.alias if hasattr(one, "alias") else one._raw["alias"]: one for one in root.collections}


def paging(collections):
    observed = collections["observed"]
    assert observed.can_read and not observed.can_write
    whole = observed.get_objects(limit=1000)["objects"]
    assert len(whole) == STATICS + 2 * OBSERVED, len(whole)
    pages = [page for page in taxii.as_pages(observed.get_objects, per_request=7)]
    paged = [entry for page in pages for entry in page.get("objects", [])]
    assert paged == whole and len(pages) == -(-len(whole) // 7), len(pages)
    manifest = [entry for page in taxii.as_pages(observed.get_manifest, per_request=9) for entry in page["objects"]]
    assert [entry["id"] for entry in manifest] == [entry["id"] for entry in whole]
    assert all(entry["media_type"] == "application/stix+json;version=2.1" for entry in manifest)
    added = [entry["date_added"] for entry in manifest]
    assert added == sorted(added)
    middle = manifest[len(manifest) // 2]["date_added"]
    later = observed.get_objects(added_after=middle, limit=1000)["objects"]
    expected = [entry for entry in manifest if entry["date_added"] > middle]
    assert [entry["id"] for entry in later] == [entry["id"] for entry in expected] and 0 < len(later) < len(whole)
    return whole


def filters(collections, whole):
    observed = collections["observed"]
    sightings = observed.get_objects(type="sighting", limit=1000)["objects"]
    assert len(sightings) == OBSERVED and {one["type"] for one in sightings} == {"sighting"}
    both = observed.get_objects(type=["identity", "sighting"], limit=1000)["objects"]
    assert len(both) == OBSERVED + 2
    some = whole[STATICS]
    assert observed.get_objects(id=some["id"])["objects"] == [some]
    assert observed.get_object(some["id"])["objects"] == [some]
    pair = whole[STATICS : STATICS + 2]
    assert observed.get_objects(id=[one["id"] for one in pair])["objects"] == pair
    assert observed.get_objects(id=some["id"], version=some["modified"])["objects"] == [some]
    assert observed.get_objects(id=some["id"], version="2020-01-01T00:00:00Z") == {}
    assert observed.get_objects(id=some["id"], version=["first", "last", "all"])["objects"] == [some]
    assert observed.get_objects(id=some["id"], spec_version="2.0") == {}
    url = f"{ADDRESS}/taxii2/hub/collections/observed/objects/{some['id']}/versions/"
    answer = requests.get(url, auth=("regulator", token("regulator")), headers={"Accept": MEDIA})
    assert answer.json()["versions"] == [some["modified"]], answer.text
    assert answer.headers["Content-Type"] == MEDIA
    assert answer.headers["X-TAXII-Date-Added-First"] == some["modified"] == answer.headers["X-TAXII-Date-Added-Last"]
    unknown = "indicator--5a1b2c3d-0000-5000-8000-000000000000"
    assert observed.get_objects(id=unknown) == {}
    fails(404, lambda: observed.get_object(unknown))
    enforced = collections["enforced"].get_objects(type="indicator", limit=1000)["objects"]
    assert len(enforced) == ENFORCED
    assert sum(one.get("revoked", False) for one in enforced) == 1
    return enforced


def negotiation():
    url, auth = f"{ADDRESS}/taxii2/hub/collections/", ("regulator", token("regulator"))
    status = lambda **headers: requests.get(url, auth=auth, headers=headers).status_code
    assert status(Accept=MEDIA) == status(Accept="*/*") == status(Accept="application/taxii+json") == 200
    assert status(Accept="application/taxii+json;version=2.0") == status(Accept="text/html") == 406
    assert requests.get(url).status_code == 401
    assert "Basic" in requests.get(url).headers["WWW-Authenticate"]
    assert requests.get(url, auth=("regulator", "wrong")).status_code == 401
    assert requests.get(url, auth=("bank", token("regulator"))).status_code == 401, "the name is the token's"
    # Elsewhere a token isn't a password: a browser would send it by itself.
    elsewhere = requests.get(f"{ADDRESS}/api/v1/indicators", auth=auth)
    assert elsewhere.status_code == 401
    objects = f"{ADDRESS}/taxii2/hub/collections/observed/objects/"
    for query in ["limit=0", "next=x", "added_after=x", "match[version]=x", "x=y"]:
        assert requests.get(f"{objects}?{query}", auth=auth).status_code == 400, query
    assert requests.delete(f"{objects}x/", auth=auth).status_code == 405


def writing():
    root = server("bank").default
    collections = {one._raw["alias"]: one for one in root.collections}
    assert set(collections) == {"enforced", "clues"}, "what others saw isn't there for a member"
    clues = collections["clues"]
    assert clues.can_write and not clues.can_read
    identity = stix2.Identity(name="A bank", identity_class="organization")
    indicator = lambda pattern, **more: stix2.Indicator(
        pattern=pattern, pattern_type="stix", created_by_ref=identity.id, indicator_types=["malicious-activity"], **more
    )
    given = [
        identity,
        indicator("[domain-name:value = 'Given.Evil.Example']", labels=["stock-tips"], confidence=90),
        indicator("[url:value = 'http://given.example/a' OR url:value = 'https://given.example/a']"),
        stix2.DomainName(value="second.evil.example"),
    ]
    bad = [
        indicator("[domain-name:value = 'www.10086.cn']"),
        indicator("[file:name = 'x']"),
        indicator("[domain-name:value = 'benign.example']", revoked=True),
        stix2.Malware(name="x", is_family=False),
    ]
    envelope = {"objects": [json.loads(one.serialize()) for one in given + bad]}
    status = clues.add_objects(envelope)
    assert status.status == "complete" and status.total_count == 8, status._raw
    assert (status.success_count, status.failure_count, status.pending_count) == (4, 4, 0), status._raw
    assert {one["id"] for one in status.failures} == {one.id for one in bad}
    again = taxii.Status(
        f"{ADDRESS}/taxii2/hub/status/{status.id}/", user="bank", password=token("bank")
    )
    assert again._raw == status._raw
    others = f"{ADDRESS}/taxii2/hub/status/{status.id}/"
    assert requests.get(others, auth=("regulator", token("regulator"))).status_code == 404
    url = f"{ADDRESS}/taxii2/hub/collections/clues/objects/"
    post = lambda body, kind=MEDIA, url=url: requests.post(
        url, auth=("bank", token("bank")), data=body, headers={"Content-Type": kind, "Accept": MEDIA}
    ).status_code
    assert requests.get(url, auth=("bank", token("bank"))).status_code == 403
    assert post("{}", kind="application/json") == 415 and post("{}", kind="application/taxii+json;version=2.0") == 415
    assert post("{") == 400 and post("{}") == 422 and post('{"objects":[]}') == 202
    assert post(json.dumps({"objects": [{}] * 1001})) == 413 and post(" " * (1 << 20) + "{}") == 413
    assert post("{}", url=f"{ADDRESS}/taxii2/hub/collections/enforced/objects/") == 403
    assert post("{}", url=f"{ADDRESS}/taxii2/hub/collections/observed/objects/") == 404
    queue = requests.get(f"{ADDRESS}/api/v1/clues", headers={"Authorization": f"Bearer {token('regulator')}"}).json()
    found = {(one["kind"], one["value"], one["typology"], one["origin"]) for one in queue["clues"]}
    assert ("domain", "given.evil.example", "stock-tips", "bank-a") in found, found
    assert ("url", "given.example/a", "fraud", "bank-a") in found, found
    assert not any("10086" in value or "benign" in value for _, value, _, _ in found), found


def bundles(whole, enforced):
    checked = 0
    for name in ["enforced", "observed"]:
        url = f"{ADDRESS}/api/v1/export/{name}.json"
        text = requests.get(url, headers={"Authorization": f"Bearer {token('regulator')}"}).text
        result = validate_string(text, ValidationOptions(version="2.1"))
        assert result.is_valid, [str(error) for error in result.errors][:5]
        bundle = stix2.parse(text, allow_custom=False)
        expected = enforced if name == "enforced" else whole[STATICS:]
        assert [one.id for one in bundle.objects[STATICS:]] == [one["id"] for one in expected]
        ids = {one.id for one in bundle.objects}
        for one in bundle.objects:
            assert one.get("created_by_ref", next(iter(ids))) in ids
            assert all(mark in ids for mark in one.get("object_marking_refs", []))
            checked += 1
    return checked


def feed():
    headers = {"Authorization": f"Bearer {token('bank')}"}
    base = f"{ADDRESS}/feeds/misp"
    manifest = requests.get(f"{base}/manifest.json", headers=headers).json()
    hashes = [line.split(",") for line in requests.get(f"{base}/hashes.csv", headers=headers).text.splitlines()]
    count = 0
    for uuid, head in manifest.items():
        event = pymisp.MISPEvent()
        event.load(requests.get(f"{base}/{uuid}.json", headers=headers).text)
        assert str(event.uuid) == uuid and event.info == head["info"] and event.Orgc.uuid == head["Orgc"]["uuid"]
        assert {"tlp:green"} < {tag.name for tag in event.tags}
        feed = event.to_feed(valid_distributions=[0, 1, 2, 3, 4, 5])["Event"]
        assert feed["uuid"] == uuid
        count += len(event.attributes)
        for attribute in event.attributes:
            assert attribute.to_ids != bool(attribute.get("deleted"))
        mine = {value for value, of in hashes if of == uuid}
        theirs = {hash for one in event.attributes if one.to_ids for hash in one.hash_values("md5")}
        assert mine == theirs
    assert count == ENFORCED, count
    return len(manifest)


collections = discovery()
whole = paging(collections)
enforced = filters(collections, whole)
negotiation()
writing()
checked = bundles(whole, enforced)
events = feed()
print(f"{len(whole)} objects paged, {checked} validated, {events} MISP events")
