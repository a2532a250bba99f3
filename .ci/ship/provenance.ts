import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BaseImage } from './base-images.ts';
import { sha256 } from './layout.ts';
import { type Release, timestampOf } from './release-context.ts';

/*
 * SLSA provenance v1 (https://slsa.dev/spec/v1.0/provenance) in in-toto statements v1: what a release was made of, and by whom.
 * docs/download.md describes the build type.
 */

export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';
export const SBOM_TYPE = 'https://cyclonedx.org/bom';

export interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** Returns a statement on some artifacts. */
export const statementOf = (
  subject: readonly Subject[],
  predicateType: string,
  predicate: unknown,
): Statement => ({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate });

/** Returns a subject of a digest, `sha256:…`. */
export const subjectOf = (name: string, digest: string): Subject => ({
  name,
  digest: { sha256: digest.replace('sha256:', '') },
});

/** A package URL of an image (https://github.com/package-url/purl-spec, type oci). */
const imageUrl = ({ repository, digest }: BaseImage): string => {
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  return `pkg:oci/${name}@${encodeURIComponent(digest)}?repository_url=${encodeURIComponent(repository)}`;
};

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
}

/** The Nodes that the archives hold: packages of the lock file, with their own hashes. */
const nodesOf = (lock: LockFile) =>
  Object.entries(lock.packages)
    .filter(([path]) => /^node_modules\/node-linux-\w+$/.test(path))
    .map(([path, { version, integrity }]) => {
      const name = path.replace('node_modules/', '');
      const hash = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
      return { name, uri: `pkg:npm/${name}@${version}`, digest: { sha512: hash } };
    });

/** The workflow and the run of it that made this, if GitHub Actions did. */
const workflowOf = (env: NodeJS.ProcessEnv) => {
  const { GITHUB_SERVER_URL: server, GITHUB_WORKFLOW_REF: workflow, GITHUB_REPOSITORY: repository } = env;
  if (server === undefined || workflow === undefined || repository === undefined) return undefined;
  const run = `${env['GITHUB_RUN_ID'] ?? ''}/attempts/${env['GITHUB_RUN_ATTEMPT'] ?? ''}`;
  return { id: `${server}/${workflow}`, run: `${server}/${repository}/actions/runs/${run}` };
};

/** Returns the predicate: it differs between two runs in the identity of the builder, the run and its times alone. */
export const provenanceOf = (
  { version, tag, commit, project, bases }: Release,
  tools: Readonly<Record<string, string>>,
  startedOn: number,
  env: NodeJS.ProcessEnv,
): unknown => {
  const lock = readFileSync('package-lock.json', 'utf8');
  const source = `git+${project.sources}@refs/tags/${tag}`;
  const base = (name: string, image: BaseImage) => ({
    name,
    uri: imageUrl(image),
    digest: { sha256: image.digest.replace('sha256:', '') },
  });
  const workflow = workflowOf(env);
  return {
    buildDefinition: {
      buildType: `${project.sources}/blob/main/docs/download.md#provenance`,
      externalParameters: { source, version, command: `.ci/release ${version}` },
      internalParameters: { node: process.version, tools },
      resolvedDependencies: [
        { uri: source, digest: { gitCommit: commit } },
        base('BUILD_IMAGE', bases.build),
        base('RUNTIME_IMAGE', bases.runtime),
        { name: 'package-lock.json', uri: `${source}#package-lock.json`, digest: { sha256: sha256(lock) } },
        ...nodesOf(JSON.parse(lock) as LockFile),
      ],
    },
    runDetails: {
      builder: { id: workflow?.id ?? `${project.sources}/blob/${tag}/.ci/release` },
      metadata: {
        invocationId: workflow?.run ?? `urn:uuid:${randomUUID()}`,
        startedOn: timestampOf(startedOn),
        finishedOn: timestampOf(Math.floor(Date.now() / 1000)),
      },
    },
  };
};
