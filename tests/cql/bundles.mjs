// Decides FHIR bundles with cql-execution over cql-exec-fhir, as a hospital would, and says how fast that was.
//
//   node bundles.mjs LIBRARY.cql SECONDS FILE...
//
// The library defines Status for one patient; each file is the bundle of one. This prints one line of JSON:
// {"statuses": [...], "bundles": N, "seconds": T}: the status of each file, and that parsing, loading and deciding N
// bundles took T CPU seconds.
import cql from "cql-execution";
import fhir from "cql-exec-fhir";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { translate } from "./translate.mjs";

const models = join(dirname(createRequire(import.meta.url).resolve("cql-exec-fhir")), "modelInfos");
const [libraryFile, seconds, ...files] = process.argv.slice(2);
const FHIR = readFileSync(join(models, "fhir-modelinfo-4.0.1.xml"), "utf8");
const library = translate(readFileSync(libraryFile, "utf8"), libraryFile, { FHIR });

const patients = fhir.PatientSource.FHIRv401(); // once: it parses the description of FHIR
const executor = new cql.Executor(library);

async function decide(text) {
  patients.reset();
  patients.loadBundles([JSON.parse(text)]);
  const results = await executor.exec(patients);
  return Object.values(results.patientResults)[0].Status;
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const texts = files.map((file) => readFileSync(file, "utf8"));
const statuses = [];
for (const text of texts) {
  statuses.push(await decide(text)); // which also warms the engine up
}
const began = cpuSeconds();
let bundles = 0;
while (cpuSeconds() - began < Number(seconds)) {
  await decide(texts[bundles % texts.length]);
  bundles += 1;
}
console.log(JSON.stringify({ statuses, bundles, seconds: cpuSeconds() - began }));
