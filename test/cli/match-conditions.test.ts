import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchConditions } from '../../src/admission/index.ts';
import { builtInHubs } from '../../src/istio/index.ts';
import { matchConfiguration, matchPlaces } from '../support/match-condition-cases.ts';
import { runCli } from '../support/run-cli.ts';

let directory: string;
const write = async (name: string, content: object): Promise<string> => {
  const path = join(directory, name);
  await writeFile(
    path,
    JSON.stringify({ apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration', ...content }),
  );
  return path;
};
const schema = 'sailmark.dev/match-conditions/v1';
const conditions = matchConditions({ hubs: builtInHubs, mirrors: [] }, []);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sailmark-match-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('match-conditions', () => {
  it('prints nothing for a configuration that cannot be used, and says why', async () => {
    const mirrors = Array.from({ length: 60 }, (_, index) => ({
      mirror: `registry.corp.example/team-${index}/mesh`,
      of: 'docker.io/istio',
    }));
    const config = await write('many.yaml', { mirrors });
    const { code, stdout, stderr } = await runCli(['match-conditions', '--config', config]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^Error: the configuration cannot be used:\n {2}mirrors\[\d+\]\.mirror makes the match condition cost more than/,
    );
  });

  it('prints YAML that a webhook can hold as it stands', async () => {
    const { code, stdout, stderr } = await runCli(['match-conditions']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^matchConditions:\n {2}- name: new-or-changed-istio-image\n {4}expression: \|-\n/,
    );
    expect(load(stdout)).toEqual({ matchConditions: conditions });
  });

  it('prints JSON', async () => {
    const { code, stdout } = await runCli(['match-conditions', '-o', 'json']);
    expect({ code, printed: JSON.parse(stdout) }).toEqual({
      code: 0,
      printed: { schema, matchConditions: conditions },
    });
  });

  it('prints those of a configuration: its hubs and mirrors, and the digests it revokes', async () => {
    const config = await write('own.yaml', matchConfiguration);
    const { code, stdout } = await runCli(['match-conditions', '--config', config, '--output', 'json']);
    const digests = matchConfiguration.revoked.map(({ digest }) => digest);
    expect({ code, printed: JSON.parse(stdout) }).toEqual({
      code: 0,
      printed: { schema, matchConditions: matchConditions(matchPlaces, digests) },
    });
  });
});
