import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftOut } from '../../.ci/left-out.ts';
import { fixturePath } from '../support/fixtures.ts';
import { runCli } from '../support/run-cli.ts';
import { BUILD_TIMEOUT, execute, ROOT } from './shipment-kit.ts';

/* What the bundle leaves out of its dependencies, and that it does the same without. */

let directory: string;
let bundle: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-left-out-'));
  bundle = join(directory, 'dist');
  await execute(process.execPath, ['.ci/bundle.ts', bundle], { cwd: ROOT });
}, BUILD_TIMEOUT);
afterAll(() => rm(directory, { recursive: true, force: true }));

const inputs = async (): Promise<readonly string[]> => {
  const { inputs: files } = JSON.parse(await readFile(join(bundle, 'metafile.json'), 'utf8')) as {
    inputs: object;
  };
  return Object.keys(files);
};

/** Bundles a program that uses node-jose, with what is left out of it, and runs it. */
const runTrimmed = async (lines: string): Promise<string> => {
  const program = join(directory, `program-${Math.random()}.cjs`);
  await build({
    stdin: { contents: `const jose = require('node-jose');\n${lines}`, resolveDir: ROOT },
    outfile: program,
    bundle: true,
    platform: 'node',
    plugins: [...leftOut],
    logLevel: 'silent',
  });
  const { stdout } = await execute(process.execPath, [program]);
  return stdout;
};

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const pem = ec.export({ type: 'spki', format: 'pem' });
const jwkText = (key: typeof ec): string => JSON.stringify(key.export({ format: 'jwk' }));

describe('what is left out of node-jose', () => {
  it.each([
    ['an RSA key', `jose.JWK.asKey(${jwkText(rsa)})`, 'unsupported key type'],
    ['a symmetric key', "jose.JWK.asKey({ kty: 'oct', k: 'AAAA' })", 'unsupported key type'],
    ['PEM', `jose.JWK.asKey(${JSON.stringify(pem)}, 'pem')`, 'deps/forge.pem.decode'],
    ['DER', "jose.JWK.asKey(Buffer.from('00', 'hex'), 'spki')", 'deps/forge.asn1.fromDer'],
    ['a new key', "jose.JWK.createKey('EC', 'P-256')", 'deps/ecc.generateKeyPair'],
    ['JWS', 'jose.JWS.createVerify()', 'jws.createVerify'],
    ['JWS by its other name', 'jose.canYouSee()', 'jws.createVerify'],
    ['JWE', 'jose.JWE.createDecrypt()', 'jwe.createDecrypt'],
    ['a compact form', "jose.parse.compact('a.b.c')", 'parse.compact'],
    [
      'an algorithm',
      "jose.JWA.verify('RS256', {}, Buffer.of(1), Buffer.of(1))",
      'unsupported algorithm: RS256',
    ],
    ['random bytes', 'jose.util.randomBytes(8)', 'deps/forge.random.getBytes'],
    ['PEM of a key', `jose.JWK.asKey(${jwkText(ec)}).then((key) => key.toPEM())`, 'deps/forge.asn1.oidToDer'],
    [
      'algorithms of a key',
      `jose.JWK.asKey(${jwkText(ec)}).then((key) => key.algorithms())`,
      'lodash/flatten',
    ],
    ['a condition', "if ('x' in jose.JWS) console.log('there')", 'jws'],
    ['text', 'console.log(String(jose.JWS))', 'jws'],
  ])('throws a clear error where it is used: %s', async (_, expression, expected) => {
    const text = await runTrimmed(
      `const answer = (error) => console.log('refused: ' + error.message);\n` +
        `(async () => { ${expression.startsWith('jose') ? 'await ' : ''}${expression}; console.log('done'); })().catch(answer);`,
    );
    expect(text).toContain(`refused: ${expected}`);
    expect(text).not.toContain('done');
  });

  it('is a list of modules that node-jose has', async () => {
    const attempt = build({
      stdin: { contents: 'console.log(1);', resolveDir: ROOT },
      write: false,
      plugins: [...leftOut],
      logLevel: 'silent',
    });
    await expect(attempt).rejects.toThrow('node-jose requires no deps/forge: correct .ci/left-out.ts');
  });

  it('is in the bundle neither as a module nor as text', async () => {
    const files = await inputs();
    const absent =
      /node_modules\/(?:node-forge|pako|long|es6-promise|uuid)\/|node-jose\/lib\/(?:jwe|jws|parse|deps)\/|node-jose\/lib\/jwk\/(?:rsa|oct)key|node-jose\/lib\/algorithms\/(?!index|constants|helpers|ec-util|sha)/;
    expect(files.filter((file) => absent.test(file))).toEqual([]);
    expect(files).toContain('node_modules/node-jose/lib/jwk/keystore.js');

    const names = (await readdir(bundle)).filter((name) => name.endsWith('.js'));
    const texts = await Promise.all(names.map((name) => readFile(join(bundle, name), 'utf8')));
    // Names in the code of RSA (node-jose, node-forge) and of zlib (pako).
    const marks = ['RSAPrivateKey.modulus', 'RSAES-PKCS1-V1_5', 'incorrect header check'];
    const owners = await Promise.all(
      ['node-jose/lib/jwk/rsakey.js', 'node-forge/lib/rsa.js', 'pako/lib/zlib/inflate.js'].map((path) =>
        readFile(join(ROOT, 'node_modules', path), 'utf8'),
      ),
    );
    expect(marks.map((mark, index) => owners[index]?.includes(mark))).toEqual([true, true, true]);
    expect(marks.filter((mark) => texts.some((text) => text.includes(mark)))).toEqual([]);
  });
});

describe('keys that the bundle reads', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  it.each([
    ['PEM', pem],
    ['a JWK', jwkText(ec)],
    ['a JWKS', `{"keys":[${jwkText(ec)},${jwkText(other)}]}`],
    ['an RSA key, which it refuses', jwkText(rsa)],
    [
      'a point off the curve, which it refuses',
      jwkText(ec)
        .replace(/"x":"."/, '"x":"A"')
        .replace(/"x":".{4}/, '"x":"AAAA'),
    ],
  ])('are those that the whole node-jose reads: %s', async (_, text) => {
    const file = join(directory, `key-${Math.random()}`);
    await writeFile(file, text);
    const argv = ['keys', '--key', file, '-o', 'json'];
    const bundled = await execute(process.execPath, [join(bundle, 'main.js'), ...argv]).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    const { stdout, stderr } = await runCli(argv);
    expect({ stdout: bundled.stdout, stderr: bundled.stderr }).toEqual({ stdout, stderr });
    expect(stdout + stderr).toMatch(/"keyId": "[\w-]{43}"|is malformed|is an RSA key/);
  });

  it('are the ones of a file that cosign wrote', async () => {
    const { stdout } = await execute(process.execPath, [
      join(bundle, 'main.js'),
      'keys',
      '--key',
      fixturePath('cosign/keys/cosign.pub'),
    ]);
    expect(stdout).toContain('jFwVj7gHDspuhI0rpjz9Om2A35PFv_Ibow5uaP1xlo8');
  });
});

describe('what is left out of @kubernetes/client-node', () => {
  it('is its classes for the kinds of the API', async () => {
    const { outputs } = JSON.parse(await readFile(join(bundle, 'metafile.json'), 'utf8')) as {
      outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
    };
    const files = Object.values(outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
    );
    const ofClient = files.filter((file) => file.startsWith('node_modules/@kubernetes/client-node/'));
    expect(ofClient.filter((file) => file.includes('/gen/models/'))).toEqual([]);
    expect(ofClient).toContain('node_modules/@kubernetes/client-node/dist/config.js');
  });
});
