// CQL text into a library that cql-execution runs.
import { CqlTranslator, LibraryManager, ModelManager, createModelInfoProvider, stringAsSource } from "@cqframework/cql/cql-to-elm";
import cql from "cql-execution";

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

// Translates a library; `models` holds the descriptions (XML) of the data models that it uses, by name.
export function translate(text, name, models = {}) {
  const known = { System: SYSTEM_TYPES, ...models };
  const manager = new ModelManager();
  const find = (id) => (id in known ? stringAsSource(known[id]) : null);
  manager.modelInfoLoader.registerModelInfoProvider(createModelInfoProvider(find));
  const elm = JSON.parse(CqlTranslator.fromText(text, new LibraryManager(manager)).toJson());
  const complaints = elm.library.annotation.filter((note) => note.errorSeverity === "error");
  if (complaints.length) {
    throw new Error(`${name}: ${complaints.map((note) => `line ${note.startLine}: ${note.message}`).join("; ")}`);
  }
  return new cql.Library(elm);
}
