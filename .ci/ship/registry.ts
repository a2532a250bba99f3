import { lastLineOf, messageOf, Refusal, run, toolPath } from './command.ts';
import { sha256 } from './layout.ts';
import { type Artifact, isLoopback } from './release-context.ts';

/** How registries say that a tag, or its whole repository, is not there. */
const ABSENT = /manifest unknown|name unknown|repository name not known|not found|404/i;

/** Returns the digest of a tag in a registry, or undefined if it is not there. Refuses if the registry does not say. */
export const digestOfTag = (repository: string, tag: string): string | undefined => {
  const insecure = isLoopback(repository) ? ['--tls-verify=false'] : [];
  try {
    const raw = run(toolPath('skopeo'), ['inspect', ...insecure, '--raw', `docker://${repository}:${tag}`]);
    return `sha256:${sha256(raw)}`;
  } catch (error) {
    if (ABSENT.test(messageOf(error))) return undefined;
    throw new Refusal(`${repository} cannot be read: ${lastLineOf(error)}`, { cause: error });
  }
};

/** Refuses if a tag is there and is not this artifact: a tag that was published never moves. */
export const refuseOtherDigest = ({ repository, digest }: Artifact, tag: string): void => {
  const there = digestOfTag(repository, tag);
  if (there !== undefined && there !== digest)
    throw new Refusal(`${repository}:${tag} is published already, as ${there}; this release is ${digest}`);
};

const copy = (from: string, to: string): void => {
  const insecure = isLoopback(to.replace('docker://', ''))
    ? ['--src-tls-verify=false', '--dest-tls-verify=false']
    : [];
  // The machine's policy is for images that it runs. What is copied here was verified.
  const flags = ['--quiet', '--all', '--preserve-digests', ...insecure];
  run(toolPath('skopeo'), ['--insecure-policy', 'copy', ...flags, from, to]);
};

/** Pushes an artifact from its layout, by its digest alone: nobody finds it by a tag. */
export const pushByDigest = ({ layout, repository, digest }: Artifact, name: string): void =>
  copy(`oci:${layout}:${name}`, `docker://${repository}@${digest}`);

/** Gives what was pushed its tag. */
export const pushTag = ({ repository, digest }: Artifact, tag: string): void =>
  copy(`docker://${repository}@${digest}`, `docker://${repository}:${tag}`);
