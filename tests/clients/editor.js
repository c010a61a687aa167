// What an editor makes of a JSON file and of the schema that it names: its complaints, and what it
// offers where a property can begin, by the language service of Visual Studio Code.
const { readFileSync } = require("fs");
const { fileURLToPath, pathToFileURL } = require("url");
const { getLanguageService, TextDocument } = require("vscode-json-languageservice");

async function main(path, before) {
  const service = getLanguageService({
    schemaRequestService: async (uri) => readFileSync(fileURLToPath(uri), "utf-8"),
    workspaceContext: { resolveRelativePath: (relative, base) => new URL(relative, base).href },
  });
  const text = readFileSync(path, "utf-8");
  const file = TextDocument.create(pathToFileURL(path).href, "json", 1, text);
  const parsed = service.parseJSONDocument(file);
  const complaints = await service.doValidation(file, parsed);
  const place = file.positionAt(text.indexOf(before));
  const offered = await service.doComplete(file, place, parsed);
  const said = Object.fromEntries(offered.items.map((item) => [item.label, item.documentation]));
  process.stdout.write(JSON.stringify({ complaints: complaints.map((c) => c.message), said }));
}

main(process.argv[2], process.argv[3]);
