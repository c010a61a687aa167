// Reads a data package with the npm package `datapackage` and prints its rows as JSON.
const { Package } = require("datapackage");

async function main(descriptor) {
  const dataPackage = await Package.load(descriptor);
  if (!dataPackage.valid) throw new Error(dataPackage.errors.join("; "));
  const tables = {};
  for (const resource of dataPackage.resources) {
    // With relations, a reference comes as the row that it names, or the reading fails.
    await resource.read({ keyed: true, relations: true });
    tables[resource.name] = await resource.read({ keyed: true });
  }
  process.stdout.write(JSON.stringify(tables));
}

main(process.argv[2]).catch((error) => {
  console.error(error.message, (error.errors || []).map(String));
  process.exit(1);
});
