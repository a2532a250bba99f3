import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandsIn, readPage } from './page.ts';
import { type Registries, startRegistries } from './registries.ts';
import { type ProgramResult, pathOf, runProgram } from './tools.ts';

/*
 * Step 1 of docs/from-cosign-to-enforcing.md with real cosign: the key and the registry are the test's own, and the images are
 * in no transparency log, so cosign is told to ignore it. test/e2e/cluster/guide.test.ts walks the other steps.
 */

const ISTIO_KEY = '"https://istio.io/misc/istio-key.pub"';
const [command = '', ...others] = commandsIn(readPage('docs/from-cosign-to-enforcing.md'), 'Step 1: ');

let registries: Registries;
beforeAll(async () => {
  registries = await startRegistries();
});
afterAll(() => registries?.stop());

const type = async (image: string): Promise<ProgramResult> => {
  const { workspace } = registries;
  const key = await workspace.publicKey('release');
  const [, ...words] = command.split(' ');
  const argv = words.map((word) => (word === ISTIO_KEY ? key : word === words.at(-1) ? image : word));
  const running = { env: workspace.env, cwd: workspace.directory };
  return runProgram(pathOf('cosign 3'), [...argv, '--insecure-ignore-tlog'], running);
};

it('the command of step 1 fails for an unsigned image, and passes for a signed one', async () => {
  expect(others).toEqual([]);
  expect(command).toMatch(new RegExp(`^cosign verify --key ${ISTIO_KEY} docker\\.io/istio/pilot:\\S+$`));
  const { workspace, docker } = registries;
  const image = `${docker}/istio/pilot:1.28.0`;
  const digest = await workspace.pushImage(image, 'pilot');
  expect(await type(image)).toMatchObject({ code: 10 });
  await workspace.sign('cosign 2', 'release', `${docker}/istio/pilot@${digest}`);
  const { code, stdout } = await type(image);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject([{ critical: { image: { 'docker-manifest-digest': digest } } }]);
});
