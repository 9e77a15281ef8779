// Reads a description with AsyncAPI's own parser, and fails where it finds an error. asyncapi.js FILE
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

new Parser().parse(readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  const errors = diagnostics.filter((one) => one.severity === 0);
  for (const one of diagnostics) console.log(one.severity, one.code, one.path.join("."), one.message);
  if (!document || errors.length > 0) process.exit(1);
  console.log(`${document.channels().all().length} channels, ${document.operations().all().length} operations`);
});
