// Owns how the console is built: from src/console to dist-console, packed beforehand, and no larger than it may be.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

const OUTPUT = join(import.meta.dirname, 'dist-console');

/** Where it is made, so that a server that starts meanwhile finds the old console or the new one, and no half. */
const WORKSHOP = join(import.meta.dirname, '.generate', `console-${process.pid}`);

/** All files of the console together, as a browser gets them. */
const MAX_COMPRESSED_BYTES = 300_000;

export default defineConfig({
  root: 'src/console',
  // Relative, so that it runs under the path of whatever public URL the server has.
  base: './',
  build: {
    outDir: WORKSHOP,
    emptyOutDir: true,
    target: 'es2022',
    // The policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What counts is the sum of all files, below.
    chunkSizeWarningLimit: 1000,
  },
  plugins: [react(), packFiles()],
});

/** Packs each file once, so that the server need not do it for each browser. Fails when it is too much. */
function packFiles(): Plugin {
  return {
    name: 'pack-files',
    apply: 'build',
    closeBundle(error) {
      if (error !== undefined) return;
      let total = 0;
      for (const file of readdirSync(WORKSHOP, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue;
        const path = join(file.parentPath, file.name);
        const bytes = readFileSync(path);
        const brotli = brotliCompressSync(bytes, {
          params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength },
        });
        total += brotli.byteLength;
        // The server writes its public URL into the page.
        if (file.name.endsWith('.html')) continue;
        writeFileSync(`${path}.br`, brotli);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
      this.info(`the console has ${total} bytes compressed, of ${MAX_COMPRESSED_BYTES} at most`);
      if (total > MAX_COMPRESSED_BYTES) this.error('The console is too large.');
      rmSync(OUTPUT, { recursive: true, force: true });
      renameSync(WORKSHOP, OUTPUT);
    },
  };
}
