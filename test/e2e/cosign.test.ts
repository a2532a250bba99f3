import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Scene, type Stage, scenes, signedBy } from './cosign-scenes.ts';
import { ACCOUNT } from './docker-registry.ts';
import type { Cosign, Ground } from './ground.ts';
import { copyReferrers } from './referrers.ts';
import { type Registries, startRegistries } from './registries.ts';
import type { ProgramResult } from './tools.ts';

/*
 * The built program and real cosign, asked the same of images that real cosign signed a moment before, in registries
 * that nobody here wrote: Debian's, which has no referrers API (basic auth), and go-containerregistry's, which has it
 * (token auth). Both over TLS with a private CA.
 */

let registries: Registries;
let ground: Ground;
beforeAll(async () => {
  registries = await startRegistries();
  ({ ground } = registries);
});
afterAll(() => registries?.stop());

/** An image that is signed and in no log: cosign ends with 12 for a `.sig`, with 1 for a bundle. */
const UNLOGGED = [
  ['a .sig', 'cosign 2', 12],
  ['a bundle', 'cosign 3', 1],
] as const;
const WRONG = Buffer.from(`${ACCOUNT.username}:guessed`).toString('base64');

const printedBy = ({ code, stdout }: ProgramResult) => ({ code, stdout });
const tagOf = (digest: string): string => digest.replace(':', '-');
const copyFallbackTag: Stage['copyReferrers'] = async (repository, from, to) => {
  await ground.crane('tag', `${repository}:${tagOf(from)}`, tagOf(to));
};

const copyBehindGate: Stage['copyReferrers'] = (repository, from, to) =>
  copyReferrers(registries.open, repository.slice(repository.indexOf('/') + 1), from, to);

const REGISTRIES = [
  ['without the referrers API', () => registries.docker, copyFallbackTag],
  ['with the referrers API', () => registries.referrers, copyBehindGate],
] as const satisfies readonly (readonly [string, () => string, Stage['copyReferrers']])[];

describe.each(REGISTRIES)('in a registry %s', (_name, host, copy) => {
  let stages = 0;
  const nextStage = (): Stage => {
    stages += 1;
    return { ground, repository: `${host()}/e2e/${stages}`, copyReferrers: copy };
  };
  const oraclesOf = ({ legacy }: Scene): readonly Cosign[] =>
    legacy === true ? ['cosign 3', 'cosign 2'] : ['cosign 3'];

  /** What the two print on standard output, and their exit codes, for each reference. */
  const ask = (scene: Scene, references: readonly string[]) =>
    Promise.all(
      references.map(async (reference) => {
        const asked = oraclesOf(scene).map((cosign) => ground.cosignVerify(cosign, 'release', reference));
        const ours = ground.verify('release', '--output', 'cosign', reference);
        return { cosign: (await Promise.all(asked)).map(printedBy), sailmark: printedBy(await ours) };
      }),
    );
  const codesOf = (answers: Awaited<ReturnType<typeof ask>>) =>
    answers.map(({ cosign, sailmark }) => ({
      cosign: cosign.map(({ code }) => code),
      sailmark: sailmark.code,
    }));
  const wantedOf = (scene: Scene, references: readonly string[]) =>
    references.map(() => ({ cosign: oraclesOf(scene).map(() => scene.cosign), sailmark: scene.sailmark }));

  it.each([...scenes.refused, ...scenes.accepted])('they agree on $what', async (scene) => {
    const references = await scene.set(nextStage());
    const answers = await ask(scene, references);
    expect(codesOf(answers)).toEqual(wantedOf(scene, references));
    for (const { cosign, sailmark } of answers)
      for (const { stdout } of cosign) expect(sailmark.stdout).toBe(stdout);
  });

  it.each(scenes.different)('they differ on $what', async (scene) => {
    const references = await scene.set(nextStage());
    expect(codesOf(await ask(scene, references))).toEqual(wantedOf(scene, references));
  });

  it.each(UNLOGGED)('both refuse %s where the transparency log is required', async (_what, cosign, code) => {
    const [reference = ''] = await signedBy(cosign)(nextStage());
    const asked = await ground.cosignVerify(
      'cosign 3',
      'release',
      '--insecure-ignore-tlog=false',
      '--trusted-root',
      'trusted-root.json',
      reference,
    );
    const ours = await ground.verify('release', '--transparency-log', 'require', reference);
    expect({ cosign: asked.code, sailmark: ours.code }).toEqual({ cosign: code, sailmark: 12 });
    expect(ours.stdout).toContain('(transparency-log-unproven)');
  });

  it('nothing is said of an image where the password is wrong', async () => {
    await writeFile(
      join(ground.directory, 'wrong.json'),
      JSON.stringify({ auths: { [host()]: { auth: WRONG } } }),
    );
    const flags = ['--ca-file', 'ca.pem', '--registry-config', 'wrong.json', '--output', 'json'];
    const { code, stdout } = await ground.sailmark('verify', ...flags, `${host()}/e2e/1:1.30.0`);
    expect({ code, stdout }).toEqual({
      code: 20,
      stdout: expect.stringContaining('"reason": "registry-refused"'),
    });
  });
});

describe('in a registry that speaks plain HTTP', () => {
  it('a bundle verifies where that is allowed, and nothing is said where it is not', async () => {
    const repository = `${registries.open}/e2e/plain`;
    const [reference = ''] = await signedBy('cosign 3')({
      ground,
      repository,
      copyReferrers: copyBehindGate,
    });
    const allowed = await ground.verify('release', '--allow-http-registry', reference);
    const forbidden = await ground.verify('release', reference);
    expect([allowed.code, forbidden.code]).toEqual([0, 20]);
  });
});
