// An SMS centre on the `smpp` package of npm: takes every bind and every submit_sm, keeps each as one JSON line, and sends
// a delivery receipt where one is asked for.
//
//     node smsc.js PORT FILE        (NODE_PATH names the folder with the package)
'use strict';

const fs = require('fs');
const smpp = require('smpp');

const [port, file] = process.argv.slice(2);
const log = fs.openSync(file, 'a');
let lastId = 1000000000;

// The package keeps no PDU as it came: take a copy on the way into its parser.
const fromStream = smpp.PDU.fromStream;
smpp.PDU.fromStream = (stream, length) => {
	let body = null;
	const pdu = fromStream({ read: (count) => (body = stream.read(count)) }, length);
	if (pdu) {
		const head = Buffer.alloc(4);
		head.writeUInt32BE(length, 0);
		pdu.octets = Buffer.concat([head, body]);
	}
	return pdu;
};

const server = smpp.createServer((session) => {
	for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
		session.on(bind, (pdu) => session.send(pdu.response({ system_id: 'npm-smpp' })));
	}
	session.on('submit_sm', (pdu) => {
		const id = String(++lastId);
		fs.writeSync(log, JSON.stringify({ id, octets: pdu.octets.toString('hex') }) + '\n');
		session.send(pdu.response({ message_id: id }));
		if (pdu.registered_delivery & 1) {
			session.deliver_sm({
				esm_class: 4,
				source_addr_ton: pdu.dest_addr_ton,
				source_addr_npi: pdu.dest_addr_npi,
				source_addr: pdu.destination_addr,
				dest_addr_ton: pdu.source_addr_ton,
				dest_addr_npi: pdu.source_addr_npi,
				destination_addr: pdu.source_addr,
				short_message: Buffer.from(
					`id:${id} sub:001 dlvrd:001 submit date:2611240200 done date:2611240200 stat:DELIVRD err:000 text:`
				),
			});
		}
	});
	session.on('enquire_link', (pdu) => session.send(pdu.response()));
	session.on('unbind', (pdu) => {
		session.send(pdu.response());
		session.close();
	});
	session.on('error', (error) => {
		// What can't be parsed is the test's business: its count won't match, and the log says why.
		console.error(error);
		session.destroy();
	});
});

server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${port}`));
