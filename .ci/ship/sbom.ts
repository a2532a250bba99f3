import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BundledPackage, readBundledPackages } from '../bundled-packages.ts';
import { ARCHITECTURES, type Architecture, pinnedNode } from './node-archives.ts';
import { runAlone, type Shipment } from './shipment.ts';

/*
 * Writes an SBOM (CycloneDX 1.6) of each thing that is shipped: `sailmark-VERSION.cdx.json` of the bundle, which the image and the
 * npm package hold, and one for each archive, which holds Node.js too. Its packages are those whose code is in the bundle, by esbuild's
 * report, and its dependencies are the imports between them. It says nothing of what Node.js itself is built from.
 */

interface Hash {
  readonly alg: 'SHA-512';
  readonly content: string;
}

type Licences = readonly { readonly license: { readonly id: string } }[];

interface Component {
  readonly type: 'application' | 'library' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly hashes?: readonly Hash[];
  readonly licenses?: Licences;
  readonly cpe?: string;
  readonly purl: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly externalReferences?: readonly { readonly type: string; readonly url: string }[];
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

/** Returns the package URL of an npm package: https://github.com/package-url/purl-spec, type npm. */
const npmUrl = (id: string): string => `pkg:npm/${id.replace(/^@/, '%40')}`;

const licensesOf = (licence: string): Licences => [{ license: { id: licence } }];

/** Returns the hash of a lock file's entry, in hex. */
const hashesOf = (integrity: string): readonly Hash[] => {
  const hash = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64');
  return [{ alg: 'SHA-512', content: hash.toString('hex') }];
};

const componentOf = ({ name, version, licence, integrity }: BundledPackage): Component => {
  const [, group, base = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  const url = npmUrl(`${name}@${version}`);
  return {
    type: 'library',
    'bom-ref': url,
    ...(group === undefined ? {} : { group }),
    name: base,
    version,
    ...(integrity === undefined ? {} : { hashes: hashesOf(integrity) }),
    ...(licence === undefined ? {} : { licenses: licensesOf(licence) }),
    purl: url,
  };
};

/** Returns Node.js as the archive of a platform holds it: from an npm package, whose hash is given. Scanners know it by its CPE. */
const nodeComponent = (architecture: Architecture): Component => {
  const { name, version, integrity } = pinnedNode(architecture);
  const url = npmUrl(`${name}@${version}`);
  return {
    type: 'platform',
    'bom-ref': url,
    name: 'node',
    version,
    hashes: hashesOf(integrity),
    licenses: licensesOf('MIT'),
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: url,
  };
};

/** Returns the program itself. Its package URL names no registry: anybody may own the name there. */
const programOf = ({ version, commit, project }: Shipment, architecture?: Architecture): Component => {
  const url = `pkg:generic/sailmark@${version}${architecture === undefined ? '' : `?arch=${architecture}&os=linux`}`;
  const references = [
    ...(project.home === undefined ? [] : [{ type: 'website', url: project.home }]),
    ...(project.sources === undefined ? [] : [{ type: 'vcs', url: project.sources }]),
  ];
  return {
    type: 'application',
    'bom-ref': url,
    name: 'sailmark',
    version,
    licenses: licensesOf('Apache-2.0'),
    purl: url,
    properties: [{ name: 'sailmark:commit', value: commit }],
    ...(references.length === 0 ? {} : { externalReferences: references }),
  };
};

/** Returns a UUID of a content (RFC 9562, section 5.8): the same content has the same one. */
const uuidOf = (content: string): string => {
  const bytes = createHash('sha256').update(content).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** Returns the SBOM of the bundle, and of Node.js beside it if the shipment is an archive for a platform. */
export const sbomOf = (shipment: Shipment, architecture?: Architecture): object => {
  const { packages, direct } = readBundledPackages(shipment.bundleDirectory);
  const program = programOf(shipment, architecture);
  const node = architecture === undefined ? [] : [nodeComponent(architecture)];
  const components = [...packages.map(componentOf), ...node];
  const dependencies: readonly Dependency[] = [
    { ref: program['bom-ref'], dependsOn: [...direct.map(npmUrl), ...node.map((one) => one['bom-ref'])] },
    ...packages.map(({ name, version, imports }) => ({
      ref: npmUrl(`${name}@${version}`),
      dependsOn: imports.map(npmUrl),
    })),
    ...node.map((one) => ({ ref: one['bom-ref'], dependsOn: [] })),
  ];
  const content = {
    version: 1,
    metadata: {
      timestamp: new Date(shipment.epoch * 1000).toISOString().replace('.000Z', 'Z'),
      lifecycles: [{ phase: 'build' }],
      component: program,
    },
    components,
    dependencies,
  };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    ...content,
  };
};

/** Writes the SBOMs and returns their paths. */
export const writeSboms = async (shipment: Shipment): Promise<readonly string[]> =>
  [undefined, ...ARCHITECTURES].map((architecture) => {
    const suffix = architecture === undefined ? '' : `-linux-${architecture}`;
    const file = join(shipment.outDirectory, `sailmark-${shipment.version}${suffix}.cdx.json`);
    writeFileSync(file, `${JSON.stringify(sbomOf(shipment, architecture), null, 2)}\n`);
    return file;
  });

if (import.meta.main) await runAlone(writeSboms);
