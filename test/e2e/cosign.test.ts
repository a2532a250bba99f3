import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaseRepository, type CosignCase, cosignCases, signedBy } from './cosign-cases.ts';
import { ACCOUNT } from './docker-registry.ts';
import { copyReferrers } from './referrers.ts';
import { type Registries, startRegistries } from './registries.ts';
import type { ProgramResult } from './tools.ts';
import type { Cosign, Workspace } from './workspace.ts';

/*
 * The bundle and real cosign verify the same images, which real cosign signed a moment before, in registries of other
 * projects: Debian's docker-registry, which has no referrers API (basic auth), and go-containerregistry's, which has it
 * (token auth). Both use TLS with a private CA.
 */

let registries: Registries;
let workspace: Workspace;
beforeAll(async () => {
  registries = await startRegistries();
  ({ workspace } = registries);
});
afterAll(() => registries?.stop());

/** Signed images that are in no transparency log: cosign exits with 12 for a `.sig`, with 1 for a bundle. */
const UNLOGGED = [
  ['a .sig', 'cosign 2', 12],
  ['a bundle', 'cosign 3', 1],
] as const;
const WRONG = Buffer.from(`${ACCOUNT.username}:guessed`).toString('base64');

const printedBy = ({ code, stdout }: ProgramResult) => ({ code, stdout });
const tagOf = (digest: string): string => digest.replace(':', '-');
const copyFallbackTag: CaseRepository['copyReferrers'] = async (repository, from, to) => {
  await workspace.crane('tag', `${repository}:${tagOf(from)}`, tagOf(to));
};

const copyBehindProxy: CaseRepository['copyReferrers'] = (repository, from, to) =>
  copyReferrers(registries.referrersWithoutAuth, repository.slice(repository.indexOf('/') + 1), from, to);

const REGISTRIES = [
  ['without the referrers API', () => registries.docker, copyFallbackTag],
  ['with the referrers API', () => registries.referrers, copyBehindProxy],
] as const satisfies readonly (readonly [string, () => string, CaseRepository['copyReferrers']])[];

describe.each(REGISTRIES)('in a registry %s', (_name, host, copy) => {
  let repositories = 0;
  const nextRepository = (): CaseRepository => {
    repositories += 1;
    return { workspace, repository: `${host()}/e2e/${repositories}`, copyReferrers: copy };
  };
  const oraclesOf = ({ legacy }: CosignCase): readonly Cosign[] =>
    legacy === true ? ['cosign 3', 'cosign 2'] : ['cosign 3'];

  /** Resolves with the standard output and exit codes of both programs for each reference. */
  const verifyWithBoth = (cosignCase: CosignCase, references: readonly string[]) =>
    Promise.all(
      references.map(async (reference) => {
        const theirs = oraclesOf(cosignCase).map((cosign) =>
          workspace.cosignVerify(cosign, 'release', reference),
        );
        const ours = workspace.verify('release', '--output', 'cosign', reference);
        return { cosign: (await Promise.all(theirs)).map(printedBy), sailmark: printedBy(await ours) };
      }),
    );
  const codesOf = (results: Awaited<ReturnType<typeof verifyWithBoth>>) =>
    results.map(({ cosign, sailmark }) => ({
      cosign: cosign.map(({ code }) => code),
      sailmark: sailmark.code,
    }));
  const wantedOf = (cosignCase: CosignCase, references: readonly string[]) =>
    references.map(() => ({
      cosign: oraclesOf(cosignCase).map(() => cosignCase.cosign),
      sailmark: cosignCase.sailmark,
    }));

  it.each([...cosignCases.refused, ...cosignCases.accepted])('they agree on $name', async (cosignCase) => {
    const references = await cosignCase.prepare(nextRepository());
    const results = await verifyWithBoth(cosignCase, references);
    expect(codesOf(results)).toEqual(wantedOf(cosignCase, references));
    for (const { cosign, sailmark } of results)
      for (const { stdout } of cosign) expect(sailmark.stdout).toBe(stdout);
  });

  it.each(cosignCases.different)('they differ on $name', async (cosignCase) => {
    const references = await cosignCase.prepare(nextRepository());
    expect(codesOf(await verifyWithBoth(cosignCase, references))).toEqual(wantedOf(cosignCase, references));
  });

  it.each(UNLOGGED)('both refuse %s where the transparency log is required', async (_what, cosign, code) => {
    const [reference = ''] = await signedBy(cosign)(nextRepository());
    const asked = await workspace.cosignVerify(
      'cosign 3',
      'release',
      '--insecure-ignore-tlog=false',
      '--trusted-root',
      'trusted-root.json',
      reference,
    );
    const ours = await workspace.verify('release', '--transparency-log', 'require', reference);
    expect({ cosign: asked.code, sailmark: ours.code }).toEqual({ cosign: code, sailmark: 12 });
    expect(ours.stdout).toContain('(transparency-log-unproven)');
  });

  it('nothing is said of an image where the password is wrong', async () => {
    await writeFile(
      join(workspace.directory, 'wrong.json'),
      JSON.stringify({ auths: { [host()]: { auth: WRONG } } }),
    );
    const flags = ['--ca-file', 'ca.pem', '--registry-config', 'wrong.json', '--output', 'json'];
    const { code, stdout } = await workspace.sailmark('verify', ...flags, `${host()}/e2e/1:1.30.0`);
    expect({ code, stdout }).toEqual({
      code: 20,
      stdout: expect.stringContaining('"reason": "registry-refused"'),
    });
  });
});

describe('in a registry that speaks plain HTTP', () => {
  it('a bundle verifies where that is allowed, and nothing is said where it is not', async () => {
    const repository = `${registries.referrersWithoutAuth}/e2e/plain`;
    const [reference = ''] = await signedBy('cosign 3')({
      workspace,
      repository,
      copyReferrers: copyBehindProxy,
    });
    const allowed = await workspace.verify('release', '--allow-http-registry', reference);
    const forbidden = await workspace.verify('release', reference);
    expect([allowed.code, forbidden.code]).toEqual([0, 20]);
  });
});
