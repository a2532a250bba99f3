import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseImageReference } from '../../src/image/index.ts';

/*
 * The project setting, `.ci/project.json`: where the project lives. It is set once, before the first release, by whoever
 * publishes it. A field that is null is not set yet, and nothing stands in for it: no other file of the repository names an
 * address as the project's own, so that nobody can be sent to a name that somebody else has registered.
 */

/** A maintainer, as Chart.yaml names one. */
export interface Maintainer {
  readonly name: string;
  readonly email?: string;
  readonly url?: string;
}

/** The project setting; a field that is undefined, and an empty list, is not set yet. */
export interface Project {
  /** The project's page, an https URL. */
  readonly home: string | undefined;
  /** The repository of the sources, an https URL. */
  readonly sources: string | undefined;
  /** Registry and path below which everything is published: `registry.example/owner`. */
  readonly registry: string | undefined;
  readonly maintainers: readonly Maintainer[];
  /** Where vulnerabilities are reported: an https URL or an e-mail address. */
  readonly security: string | undefined;
  /** The publisher of the image, as its label names it. */
  readonly vendor: string | undefined;
}

const FILE = fileURLToPath(new URL('../project.json', import.meta.url));
const FIELDS = ['home', 'sources', 'registry', 'maintainers', 'security', 'vendor'] as const;
const MAINTAINER_FIELDS = ['name', 'email', 'url'];

type Json = Readonly<Record<string, unknown>>;
/** Returns what a text must be, if it is something else. */
type Check = (text: string) => string | undefined;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isHttps: Check = (text) => {
  const url = /^https:\/\/[^\s/]/.test(text) ? URL.parse(text) : null;
  const plain =
    url !== null && !/\s/.test(text) && `${url.username}${url.password}${url.hash}${url.search}` === '';
  return plain ? undefined : 'an https URL without credentials, query or fragment';
};

const isEmail = (text: string): boolean => /^[^\s@<>,;]+@[^\s@<>,;.]+(?:\.[^\s@<>,;.]+)+$/.test(text);

const isRegistry: Check = (text) => {
  // The host is required: Docker reads a name without one as Docker Hub's, and Helm refuses it.
  const parsed = parseImageReference(`${text}/sailmark`);
  const hasHost = parsed.ok && parsed.reference.repository.registry === text.split('/')[0];
  return hasHost
    ? undefined
    : 'a registry host and a path, without scheme, tag or digest, such as registry.example/owner';
};

const isContact: Check = (text) =>
  isEmail(text) || isHttps(text) === undefined ? undefined : 'an https URL or an e-mail address';

const isAddress: Check = (text) => (isEmail(text) ? undefined : 'an e-mail address');

const isLine: Check = (text) =>
  text.trim() === text && text !== '' && !/\p{Cc}/u.test(text) ? undefined : 'one line of text';

const unknownFields = (at: string, value: Json, known: readonly string[]): readonly string[] =>
  Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${at}${key}: is no field; the fields are ${known.join(', ')}`);

/** Reads texts of an object, and collects what is wrong with them. */
const createReader = (problems: string[]) => ({
  text(at: string, value: unknown, check: Check): string | undefined {
    if (value === null || value === undefined) return undefined;
    const wanted = typeof value === 'string' ? check(value) : 'text or null';
    if (wanted !== undefined) problems.push(`${at}: must be ${wanted}, got ${JSON.stringify(value)}`);
    return value as string;
  },
  maintainers(value: unknown): readonly Maintainer[] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value))
      return value.map((one: unknown, index) => this.maintainer(`maintainers[${index}]`, one));
    problems.push(`maintainers: must be a list of {name, email, url}, got ${JSON.stringify(value)}`);
    return [];
  },
  maintainer(at: string, value: unknown): Maintainer {
    const one = isObject(value) ? value : {};
    if (!isObject(value)) problems.push(`${at}: must be {name, email, url}, got ${JSON.stringify(value)}`);
    problems.push(...unknownFields(`${at}.`, one, MAINTAINER_FIELDS));
    const [name, email, url] = [
      this.text(`${at}.name`, one['name'] ?? '', isLine),
      this.text(`${at}.email`, one['email'], isAddress),
      this.text(`${at}.url`, one['url'], isHttps),
    ];
    return {
      name: name ?? '',
      ...(email === undefined ? {} : { email }),
      ...(url === undefined ? {} : { url }),
    };
  },
});

const parse = (file: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
};

/**
 * Reads and checks the project setting: `.ci/project.json`, or the file that the environment variable SAILMARK_PROJECT names, for
 * forks and tests. Throws an error that names the file and every field that is wrong.
 */
export const readProject = (file: string = process.env['SAILMARK_PROJECT'] || FILE): Project => {
  const value = parse(file, readFileSync(file, 'utf8'));
  if (!isObject(value)) throw new Error(`${file}: must be an object with the fields ${FIELDS.join(', ')}`);
  const problems = [...unknownFields('', value, FIELDS)];
  const read = createReader(problems);
  const project: Project = {
    home: read.text('home', value['home'], isHttps),
    sources: read.text('sources', value['sources'], isHttps),
    registry: read.text('registry', value['registry'], isRegistry),
    maintainers: read.maintainers(value['maintainers']),
    security: read.text('security', value['security'], isContact),
    vendor: read.text('vendor', value['vendor'], isLine),
  };
  if (problems.length > 0) throw new Error(problems.map((problem) => `${file}: ${problem}`).join('\n'));
  return project;
};

/** Returns the fields that a release needs and that are not set. */
export const unsetFields = (project: Project): readonly (keyof Project)[] =>
  FIELDS.filter((field) => project[field] === undefined || project[field].length === 0);

/** Returns the repository of the image, without a tag. */
export const imageRepository = (registry: string): string => `${registry}/sailmark`;

/** Returns where charts are pushed to (`helm push CHART URL`); the chart is then `URL/sailmark`, apart from the image. */
export const chartsUrl = (registry: string): string => `oci://${registry}/charts`;
