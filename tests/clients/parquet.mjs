// Reads every Parquet file of a folder with `hyparquet`, which is JavaScript alone, as JSON.
import { readdir } from "node:fs/promises";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";

const folder = process.argv[2];
const tables = {};
for (const name of (await readdir(folder)).sort()) {
  const file = await asyncBufferFromFile(`${folder}/${name}`);
  tables[name.replace(/\.parquet$/, "")] = await parquetReadObjects({ file });
}
// Integers come as BigInt, which JSON does not know.
const plain = (_, value) => (typeof value === "bigint" ? Number(value) : value);
process.stdout.write(JSON.stringify(tables, plain));
