// Run by `cargo xtask` as `node -e … FOLDER QUALITY`: puts a .br and a .gz beside every file that shrinks by it.
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

const worthIt = new Set(['.html', '.js', '.css', '.wasm', '.svg', '.json', '.txt', '.webmanifest', '.ico']);
const [, folder, quality] = process.argv;
let files = 0;
for (const name of fs.readdirSync(folder, { recursive: true })) {
  const file = path.join(folder, name);
  if (!worthIt.has(path.extname(file)) || !fs.statSync(file).isFile()) continue;
  const bytes = fs.readFileSync(file);
  const brotli = zlib.brotliCompressSync(bytes, {
    params: {
      [zlib.constants.BROTLI_PARAM_QUALITY]: Number(quality),
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  fs.writeFileSync(`${file}.br`, brotli);
  fs.writeFileSync(`${file}.gz`, zlib.gzipSync(bytes, { level: Math.min(Number(quality), 9) }));
  files += 1;
}
console.log(JSON.stringify({ files }));
