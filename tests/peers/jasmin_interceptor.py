"""Runs the recipe in Jasmin's own interceptor: `jasmin_interceptor.py SCRIPT`, a submit_sm a line in hexadecimal digits on standard input; what
Jasmin would do with it a line: `passes`, or the two statuses."""

import pickle
import sys
from io import BytesIO

from jasmin.interceptor.configs import InterceptorPBConfig
from jasmin.interceptor.interceptor import InterceptorPB
from jasmin.routing.jasminApi import Group, User
from jasmin.routing.Routables import RoutableSubmitSm
from smpp.pdu.pdu_encoding import PDUEncoder

config = InterceptorPBConfig()
config.log_file = "/dev/null"
interceptor = InterceptorPB(config)
user = User("own", Group("own"), "own", "own")
with open(sys.argv[1]) as file:
    script = file.read()
for line in sys.stdin:
    pdu = PDUEncoder().decode(BytesIO(bytes.fromhex(line.strip())))
    answer = interceptor.perspective_run_script(script, pickle.dumps(RoutableSubmitSm(pdu, user)))
    if answer is False:
        sys.exit("the script failed")
    print("passes" if isinstance(answer, bytes) else f"{answer['smpp_status']} {answer['http_status']}", flush=True)
