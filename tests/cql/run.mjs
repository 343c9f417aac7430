// Runs exported CQL libraries in an independent translator and engine.
//
//   node run.mjs FOLDER
//
// For every X.cql in FOLDER with an X.jsonl beside it (one case a line: every parameter, null where unknown) this
// prints one line of JSON: {"set": X, "seconds": S, "rows": [...], "statuses": [...]}, in the order of the cases, and
// what the translated logic (ELM) calls itself and its definitions: "identifier" and "definitions".
import cql from "cql-execution";
import { createReadStream, existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { translate } from "./translate.mjs";

async function run(folder, name) {
  const library = translate(readFileSync(join(folder, `${name}.cql`), "utf8"), name);
  const rows = [];
  const statuses = [];
  const began = performance.now();
  for await (const line of createInterface({ input: createReadStream(join(folder, `${name}.jsonl`)) })) {
    const context = new cql.UnfilteredContext(library, {}, null, JSON.parse(line));
    statuses.push(await library.expressions.Status.execute(context));
    rows.push(await library.expressions.Row.execute(context));
  }
  const seconds = (performance.now() - began) / 1000;
  const { identifier } = library.source.library;
  return { set: name, seconds, rows, statuses, identifier, definitions: Object.keys(library.expressions) };
}

const folder = process.argv[2];
const names = readdirSync(folder).filter((file) => file.endsWith(".cql")).map((file) => file.slice(0, -".cql".length));
for (const name of names.sort()) {
  if (existsSync(join(folder, `${name}.jsonl`))) {
    console.log(JSON.stringify(await run(folder, name)));
  }
}
