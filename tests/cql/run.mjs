// Runs exported CQL libraries in an independent translator and engine.
//
//   node run.mjs FOLDER
//
// For every X.cql in FOLDER with an X.jsonl beside it (one case a line: every parameter, null where unknown) this
// prints one line of JSON: {"set": X, "seconds": S, "rows": [...], "statuses": [...]}, in the order of the cases, and
// what the translated logic (ELM) calls itself and its definitions: "identifier" and "definitions".
import { CqlTranslator, LibraryManager, ModelManager, createModelInfoProvider, stringAsSource } from "@cqframework/cql/cql-to-elm";
import cql from "cql-execution";
import { createReadStream, existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

// The translator is published without a description of CQL's own types: these are the types it asks for.
const PLAIN = ["Boolean", "Integer", "Long", "Decimal", "String", "DateTime", "Date", "Time"];
const COMPOSED = { Quantity: "Any", Ratio: "Any", Code: "Any", Concept: "Any", Vocabulary: "Any", ValueSet: "Vocabulary", CodeSystem: "Vocabulary" };
const SYSTEM_TYPES = [
  '<modelInfo xmlns="urn:hl7-org:elm-modelinfo:r1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
  ' name="System" version="1.0.0" url="urn:hl7-org:elm-types:r1">',
  '<typeInfo xsi:type="SimpleTypeInfo" name="System.Any"/>',
  ...PLAIN.map((name) => `<typeInfo xsi:type="SimpleTypeInfo" name="System.${name}" baseType="System.Any"/>`),
  ...Object.entries(COMPOSED).map(([name, base]) => `<typeInfo xsi:type="ClassInfo" name="System.${name}" baseType="System.${base}"/>`),
  "</modelInfo>",
].join("");

function translate(text, name) {
  const models = new ModelManager();
  const system = (id) => (id === "System" ? stringAsSource(SYSTEM_TYPES) : null);
  models.modelInfoLoader.registerModelInfoProvider(createModelInfoProvider(system));
  const elm = JSON.parse(CqlTranslator.fromText(text, new LibraryManager(models)).toJson());
  const complaints = elm.library.annotation.filter((note) => note.errorSeverity === "error");
  if (complaints.length) {
    throw new Error(`${name}: ${complaints.map((note) => `line ${note.startLine}: ${note.message}`).join("; ")}`);
  }
  return new cql.Library(elm);
}

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
