"""An ESME on smpplib: sends what a plan says, ten at a time, and writes what came of it.

    esme.py PORT PLAN OUTCOME

A line of the plan: {"from", "to", "esm_class", "data_coding", "user_data" in hex}.
The outcome is one object: "answers", in the order of the plan, each {"octets" as sent, in hex, "status", "id"}, and
"receipts": the ids that delivery receipts named.
"""

import json
import re
import sys

import smpplib.client
import smpplib.consts

WINDOW = 10
SILENCE_S = 30


class Run:
    def __init__(self, port, plan):
        self.plan = plan
        self.answers = []
        self.by_sequence = {}
        self.open = 0
        self.receipts = []
        self.accepted = 0
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=SILENCE_S, allow_unknown_opt_params=True)
        self.client.set_message_sent_handler(self.answered)
        self.client.set_message_received_handler(self.received)
        # A refusal is an answer like any other: `answered` gets it too.
        self.client.set_error_pdu_handler(lambda pdu: None)

    def run(self):
        self.client.connect()
        self.client.bind_transceiver(system_id="smpplib", password="secret")
        for entry in self.plan:
            while self.open >= WINDOW:
                self.client.read_once(auto_send_enquire_link=False)
            self.submit(entry)
        while self.open or len(self.receipts) < self.accepted:
            self.client.read_once(auto_send_enquire_link=False)
        self.client.unbind()
        self.client.disconnect()

    def submit(self, entry):
        pdu = self.client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_UNK,
            source_addr=entry["from"],
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
            destination_addr=entry["to"],
            esm_class=entry["esm_class"],
            data_coding=entry["data_coding"],
            registered_delivery=True,
            short_message=bytes.fromhex(entry["user_data"]),
        )
        self.by_sequence[pdu.sequence] = len(self.answers)
        self.answers.append({"octets": pdu.generate().hex()})
        self.open += 1

    def answered(self, pdu):
        answer = self.answers[self.by_sequence.pop(pdu.sequence)]
        answer["status"] = pdu.status
        answer["id"] = text(getattr(pdu, "message_id", None))
        self.accepted += pdu.status == 0
        self.open -= 1

    def received(self, pdu):
        self.receipts += re.findall(r"^id:(\S+) .* stat:DELIVRD ", text(pdu.short_message))


def text(octets):
    return octets.decode("latin-1") if isinstance(octets, bytes) else octets or ""


def main():
    port, plan, outcome = sys.argv[1:]
    with open(plan, encoding="utf-8") as lines:
        run = Run(int(port), [json.loads(line) for line in lines])
    run.run()
    with open(outcome, "w", encoding="utf-8") as out:
        json.dump({"answers": run.answers, "receipts": run.receipts}, out)


if __name__ == "__main__":
    main()
