// Compiles JSON Schemas, patterns with the flag `u`, and says what is wrong with each JSON file by
// the schema of the same name.
const { readdirSync, readFileSync } = require("fs");
const { join } = require("path");
const Ajv = require("ajv/dist/2020");
const addFormats = require("ajv-formats");

const read = (...path) => JSON.parse(readFileSync(join(...path), "utf-8"));

function main(data, schemas) {
  const ajv = addFormats(new Ajv({ allErrors: true, strictTypes: false }));
  const names = readdirSync(schemas);
  for (const name of names) ajv.addSchema(read(schemas, name), name);
  const wrong = {};
  for (const name of names) {
    const validate = ajv.getSchema(name);
    wrong[name] = validate(read(data, name)) ? [] : validate.errors;
  }
  process.stdout.write(JSON.stringify(wrong));
}

main(process.argv[2], process.argv[3]);
