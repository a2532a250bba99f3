import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { chartsUrl, imageRepository, readProject, unsetFields } from '../../.ci/ship/project.ts';

/*
 * The project setting says where the project lives, or that it is not set yet.
 */

const directory = mkdtempSync(join(tmpdir(), 'sailmark-project-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const FILE = join(directory, 'project.json');

const SET = {
  home: 'https://sailmark.example',
  sources: 'https://git.example/owner/sailmark',
  registry: 'registry.example:5000/owner',
  maintainers: [
    { name: 'A. Person', email: 'person@sailmark.example', url: 'https://person.example/' },
    { name: 'B' },
  ],
  security: 'security@sailmark.example',
  vendor: 'The owners of sailmark.example',
};

const reading = (content: unknown) => () => {
  writeFileSync(FILE, typeof content === 'string' ? content : JSON.stringify(content));
  return readProject(FILE);
};

/** Returns what is said of a setting in which some fields are others. */
const problemsOf = (fields: object): readonly string[] => {
  try {
    reading({ ...SET, ...fields })();
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
};

describe('a project setting is refused', () => {
  it.each<[field: string, value: unknown, why: string]>([
    [
      'home',
      'http://sailmark.example',
      'must be an https URL without credentials, query or fragment, got "http://sailmark.example"',
    ],
    ['home', 'sailmark.example', 'must be an https URL'],
    ['home', 'https://', 'must be an https URL'],
    ['home', 'https:///path', 'must be an https URL'],
    ['home', '', 'must be an https URL'],
    ['home', 7, 'must be text or null, got 7'],
    ['sources', 'git@git.example:owner/sailmark.git', 'must be an https URL'],
    ['sources', 'https://user:password@git.example/owner', 'must be an https URL'],
    ['sources', 'https://git.example/owner?tab=readme', 'must be an https URL'],
    ['sources', 'https://git.example/a b', 'must be an https URL'],
    [
      'registry',
      'https://registry.example/owner',
      'must be a registry host and a path, without scheme, tag or digest',
    ],
    ['registry', 'oci://registry.example/owner', 'must be a registry host'],
    ['registry', 'owner', 'must be a registry host'],
    ['registry', 'owner/path', 'must be a registry host'],
    ['registry', 'registry.example/owner/', 'must be a registry host'],
    ['registry', 'registry.example/Owner', 'must be a registry host'],
    ['registry', 'registry.example/owner:1.0', 'must be a registry host'],
    ['registry', 'index.docker.io/owner', 'must be a registry host'],
    ['registry', '', 'must be a registry host'],
    ['security', 'the mailing list', 'must be an https URL or an e-mail address, got "the mailing list"'],
    ['security', 'security@localhost', 'must be an https URL or an e-mail address'],
    ['vendor', 'two\nlines', 'must be one line of text'],
    ['vendor', '', 'must be one line of text'],
    ['maintainers', 'A. Person', 'must be a list of {name, email, url}, got "A. Person"'],
  ])('for its field %s: %j', (field, value, why) => {
    expect(problemsOf({ [field]: value })).toEqual([expect.stringContaining(`${FILE}: ${field}: ${why}`)]);
  });

  it.each<[value: unknown, why: string]>([
    ['A. Person', 'maintainers[0]: must be {name, email, url}, got "A. Person"'],
    [{ email: 'person@sailmark.example' }, 'maintainers[0].name: must be one line of text, got ""'],
    [{ name: 'A', email: 'person' }, 'maintainers[0].email: must be an e-mail address, got "person"'],
    [{ name: 'A', url: 'person.example' }, 'maintainers[0].url: must be an https URL'],
    [{ name: 'A', mail: 'a@b.example' }, 'maintainers[0].mail: is no field; the fields are name, email, url'],
  ])('for a maintainer: %j', (value, why) => {
    expect(problemsOf({ maintainers: [value] })[0]).toContain(why);
  });

  it('for a field that it does not have, which may be a slip', () => {
    expect(problemsOf({ repository: 'https://git.example' })).toEqual([
      `${FILE}: repository: is no field; the fields are home, sources, registry, maintainers, security, vendor`,
    ]);
  });

  it('for everything at once', () => {
    expect(problemsOf({ home: 1, registry: 'x', security: 'y' })).toHaveLength(3);
  });

  it.each([
    ['{"home":', `${FILE}: is not JSON: `],
    ['[]', `${FILE}: must be an object with the fields home, `],
  ])('where the file is %s', (content, why) => {
    expect(reading(content)).toThrow(why);
  });

  it('where the file does not exist', () => {
    expect(() => readProject(join(directory, 'absent.json'))).toThrow(/ENOENT.*absent\.json/);
  });
});

describe('a project setting', () => {
  it('is the whole of it, once everything is set', () => {
    const project = reading(SET)();
    expect([project, unsetFields(project)]).toEqual([SET, []]);
  });

  it.each([
    'registry.example/owner',
    'registry.example',
    'localhost:5000/owner',
    'docker.io/owner',
    '[::1]:5000/a/b',
  ])('has a registry such as %s', (registry) => {
    expect(reading({ ...SET, registry })().registry).toBe(registry);
  });

  it('keeps image and chart apart', () => {
    expect([imageRepository(SET.registry), chartsUrl(SET.registry)]).toEqual([
      'registry.example:5000/owner/sailmark',
      'oci://registry.example:5000/owner/charts',
    ]);
  });

  it('of the repository can be read, and says which fields a release still needs', () => {
    vi.stubEnv('SAILMARK_PROJECT', '');
    const project = readProject();
    expect(unsetFields(project)).toEqual(Object.keys(project).filter((key) => !isSet(project, key)));
  });

  it('is that of another file, if SAILMARK_PROJECT names one', () => {
    writeFileSync(FILE, JSON.stringify({ ...SET, vendor: null }));
    vi.stubEnv('SAILMARK_PROJECT', FILE);
    expect(readProject()).toEqual({ ...SET, vendor: undefined });
    expect(unsetFields(readProject())).toEqual(['vendor']);
    vi.unstubAllEnvs();
  });
});

const isSet = (project: object, key: string): boolean => {
  const value = (project as Record<string, unknown>)[key];
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
};
