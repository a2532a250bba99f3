import { createRequire, registerHooks } from 'node:module';
import { getAsset } from 'node:sea';
import { pathToFileURL } from 'node:url';

/*
 * The main module of the stand-alone program (see archive.ts). The files of the bundle are embedded in the executable; this makes
 * Node.js read them from there, each only when it is imported. They have addresses below one that no file has.
 */

const BASE = pathToFileURL(`${process.execPath}/bundle/`).href;
const START = `${BASE}start.js`;

registerHooks({
  resolve: (specifier, context, next) => {
    const isEmbedded = specifier.startsWith('./') && context.parentURL?.startsWith(BASE) === true;
    if (!isEmbedded && specifier !== START) return next(specifier, context);
    return { url: new URL(specifier, context.parentURL ?? BASE).href, format: 'module', shortCircuit: true };
  },
  load: (url, context, next) => {
    if (!url.startsWith(BASE)) return next(url, context);
    // An executable imports built-in modules alone, and requires no module that awaits at its top: START may import one.
    const source = url === START ? 'import("./program.js");' : getAsset(url.slice(BASE.length), 'utf8');
    return { source, format: 'module', shortCircuit: true };
  },
});

createRequire(process.execPath)(START);
