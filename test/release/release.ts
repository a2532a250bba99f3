import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { places } from '../../.ci/ship/release-context.ts';
import { runOrThrow } from '../e2e/tools.ts';
import { pushBases, startPlainRegistry, variable } from './registry.ts';

/*
 * Makes one release for all test files: from a clean clone of this commit, which `--prepare` gives another version and which is
 * tagged for the test, into a registry on loopback.
 */

/** The release, as the test files need it. */
export interface Made {
  readonly version: string;
  /** `HOST/PATH`, the registry of the project setting. */
  readonly registry: string;
  readonly host: string;
  /** The clone that the release was made from, at the tag. */
  readonly clone: string;
  /** The directory of the release. */
  readonly out: string;
  /** A directory with keys, and the home of every program that is run. */
  readonly home: string;
  /** The environment of `.ci/release`. */
  readonly env: Readonly<Record<string, string>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    made: Made;
  }
}

const VERSION = '9.8.7';
const ROOT = new URL('../..', import.meta.url).pathname;

/** Makes cosign sign without a log and a timestamp, so that it needs only the registry. */
const SIGNING_CONFIG = {
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  rekorTlogConfig: {},
  tsaConfig: {},
};

const projectOf = (registry: string) => ({
  home: 'https://sailmark.example',
  sources: 'https://git.example/sailmark',
  registry,
  maintainers: [{ name: 'A Maintainer', email: 'maintainer@sailmark.example' }],
  security: 'security@sailmark.example',
  vendor: 'The vendor',
});

/** Clones this commit, and makes the version and the tag there. */
const makeClone = async (clone: string, env: Made['env']): Promise<void> => {
  const git = (...argv: readonly string[]): Promise<string> => runOrThrow('git', argv, { cwd: clone, env });
  await runOrThrow('git', ['clone', '--quiet', '--no-hardlinks', ROOT, clone]);
  await git('config', 'user.name', 'Test');
  await git('config', 'user.email', 'test@sailmark.example');
  await git('remote', 'remove', 'origin');
  await runOrThrow('bash', ['.ci/release', '--prepare', VERSION], { cwd: clone, env, timeout: 600_000 });
  await git('commit', '--quiet', '--all', '--message', `release: ${VERSION}`);
  await git('tag', `v${VERSION}`);
};

/** Copies what people download, and the image, to where RELEASE_KEPT says. */
const keep = async (out: string): Promise<void> => {
  const kept = process.env['RELEASE_KEPT'];
  if (kept === undefined) return;
  await rm(kept, { recursive: true, force: true });
  for (const name of ['files', 'image'] as const)
    await cp(places(out)[name], places(kept)[name], { recursive: true });
};

/** Runs before the first test file, and returns what runs after the last. */
// biome-ignore lint/style/noDefaultExport: vitest calls it by that name.
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-release-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const registry = started.use(await startPlainRegistry());
  const [clone, home, out] = ['clone', 'home', 'out'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(home);
  const setting = join(home, 'project.json');
  await writeFile(setting, JSON.stringify(projectOf(`${registry.host}/owner`)));
  await writeFile(join(home, 'signing-config.json'), JSON.stringify(SIGNING_CONFIG));
  await runOrThrow(variable('COSIGN'), ['generate-key-pair'], {
    cwd: home,
    env: { COSIGN_PASSWORD: 'of a test' },
  });
  await runOrThrow(variable('COSIGN'), ['generate-key-pair', '--output-key-prefix', 'stranger'], {
    cwd: home,
    env: { COSIGN_PASSWORD: 'of a test' },
  });
  const env = {
    ...(await pushBases(registry.host)),
    SAILMARK_PROJECT: setting,
    COSIGN_KEY: join(home, 'cosign.key'),
    COSIGN_PASSWORD: 'of a test',
    SIGNING_CONFIG: join(home, 'signing-config.json'),
  };
  await makeClone(clone, env);
  const began = Date.now();
  await runOrThrow('bash', ['.ci/release', '--out', out, VERSION], { cwd: clone, env, timeout: 1_800_000 });
  console.log(`the release was made and published in ${Math.round((Date.now() - began) / 1000)} s`);
  await keep(out);
  const made: Made = {
    version: VERSION,
    registry: `${registry.host}/owner`,
    host: registry.host,
    clone,
    out,
    home,
    env,
  };
  project.provide('made', made);
  const running = started.move();
  return () => running.disposeAsync();
}
