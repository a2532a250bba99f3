import { describe, expect, it } from 'vitest';
import { createPullSecretCredentials } from '../../../src/registry/credentials/pull-secrets.ts';
import type { PullSecrets } from '../../../src/registry/index.ts';
import { faultOf } from '../test-client.ts';

const NAME = { namespace: 'istio-system', name: 'regcred' };
const ENTRY = { username: 'ada', password: 's3cret' };

const holding = (text: string | undefined): PullSecrets => ({
  find: async (namespace, name) => (`${namespace}/${name}` === 'istio-system/regcred' ? text : undefined),
});
const faultWith = async (secrets: PullSecrets | undefined) =>
  faultOf(createPullSecretCredentials(NAME, secrets)('r.example/a'));

describe('a pull secret', () => {
  it('without a cluster is a fault that says so', async () => {
    expect(await faultWith(undefined)).toEqual({
      code: 'refused',
      asked: false,
      message:
        'the pull secret istio-system/regcred is stored in a cluster, which is not available here; configure a docker config.json instead',
    });
  });

  it('that is not there, cannot be read or is none is a fault that tells nothing of what is in it', async () => {
    const say = async (secrets: PullSecrets): Promise<string> => (await faultWith(secrets)).message;
    expect(await say(holding(undefined))).toContain('does not exist, or contains no registry credentials');
    expect(await say(holding('{"s3cret"'))).toBe(
      'the pull secret istio-system/regcred contains no docker config: it is not valid JSON',
    );
    expect(await say(holding('["s3cret"]'))).toContain('it is not a JSON object');
    const failing = { find: () => Promise.reject(new Error('s3cret')) };
    expect(await say(failing)).toBe(
      'the pull secret istio-system/regcred could not be read from the cluster',
    );
  });

  it.each([{ auths: { 'r.example': ENTRY } }, { 'r.example': ENTRY }])('may be %j', async (document) => {
    const find = createPullSecretCredentials(NAME, holding(JSON.stringify(document)));
    expect(await find('r.example/a')).toEqual([{ kind: 'password', ...ENTRY }]);
    expect(await find('other.example/a')).toEqual([]);
  });

  it.each(['', '\n', 'null', '{"auths":null}'])(
    'that is %j holds no credentials, and is no fault',
    async (text) => {
      expect(await createPullSecretCredentials(NAME, holding(text))('r.example/a')).toEqual([]);
    },
  );

  it('names no helper: there is none in a cluster', async () => {
    const text = JSON.stringify({ auths: { 'r.example': {} }, credsStore: 'desktop' });
    expect(await createPullSecretCredentials(NAME, holding(text))('r.example/a')).toEqual([]);
  });
});
