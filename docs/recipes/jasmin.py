# Jasmin: an MT (or MO) interceptor script; `mtinterceptor -a` in jCli takes its path. Fail-open: without an answer within a second
# the message goes on. YUMEN_URL and YUMEN_TOKEN are taken from interceptord's environment.
import json
import os
import urllib.request

from smpp.pdu.pdu_types import DataCodingDefault, EsmClassGsmFeatures

params = routable.pdu.params
octets = params.get("short_message") or params.get("message_payload") or b""
# Jasmin puts no number together: each part of a long message is asked about by itself, without its header.
features = getattr(params.get("esm_class"), "gsmFeatures", None) or []
if EsmClassGsmFeatures.UDHI_INDICATOR_SET in features and octets:
    octets = octets[octets[0] + 1:]
coding = params.get("data_coding")
is_ucs2 = getattr(coding, "schemeData", coding) in (8, DataCodingDefault.UCS2)
question = {
    "sms": {
        "from": params["source_addr"].decode("latin-1"),
        "to": params["destination_addr"].decode("latin-1"),
        "text": octets.decode("utf-16-be" if is_ucs2 else "latin-1", "replace"),
    }
}
request = urllib.request.Request(
    os.environ.get("YUMEN_URL", "http://127.0.0.1:8460/v1/decisions"),
    json.dumps(question).encode(),
    {"Authorization": "Bearer " + os.environ.get("YUMEN_TOKEN", ""), "Content-Type": "application/json"},
)
try:
    with urllib.request.urlopen(request, timeout=1) as answer:
        blocked = json.load(answer)["block"]
except (OSError, ValueError, KeyError):
    blocked = False
if blocked:
    # ESME_RSUBMITFAIL; both must be set, whichever way the message came.
    smpp_status = 69
    http_status = 403
