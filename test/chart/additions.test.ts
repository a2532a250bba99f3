import { describe, expect, it } from 'vitest';
import { DIGEST } from './example-values.ts';
import { at, containerOf, type Manifest, manifestOf, namesOf, REPOSITORY, refusals, render } from './helm.ts';

const podOf = (manifests: readonly Manifest[]): unknown =>
  at(manifestOf(manifests, 'Deployment'), 'spec', 'template', 'spec');
const volume = (name: string) => ({ name, emptyDir: {} });
const mount = (mountPath: string, name = 'more') => ({
  extraVolumes: [volume('more')],
  extraVolumeMounts: [{ name, mountPath }],
});
const file = (path: string) => ({ config: { keys: [{ file: path }] } });
const onNode = (listen: object) => ({ hostNetwork: true, listen });
const issued = (certManager: object) => ({ certificates: { mode: 'cert-manager', certManager } });

const colliding: readonly (readonly [object, RegExp])[] = [
  [{ extraVolumes: [volume('config')] }, /^extraVolumes\[0\]\.name is config, and the pod already has/],
  [{ extraVolumes: [volume('certificate')] }, /^extraVolumes\[0\]\.name is certificate, /],
  [{ extraVolumes: [volume('api')] }, /^extraVolumes\[0\]\.name is api, /],
  [
    { files: { keys: { secret: { secretName: 'k' } } }, extraVolumes: [volume('a'), volume('files-keys')] },
    /^extraVolumes\[1\]\.name is files-keys, /,
  ],
  [{ extraVolumes: [volume('a'), volume('a')] }, /^extraVolumes\[1\]\.name is a, /],
  [mount('/more', 'less'), /^extraVolumeMounts\[0\]\.name is less, and the pod has no volume of that name/],
  [mount('/tls'), /^extraVolumeMounts\[0\]\.mountPath is \/tls, and the pod already has \/tls: /],
  [mount('/tls/'), /^extraVolumeMounts\[0\]\.mountPath is \/tls\/, and the pod already has \/tls: /],
  [mount('/tls/more'), /^extraVolumeMounts\[0\]\.mountPath is \/tls\/more, and the pod already has \/tls: /],
  [
    mount('/etc/sailmark'),
    /mountPath is \/etc\/sailmark, and the pod already has \/etc\/sailmark\/config\.yaml: /,
  ],
  [mount('/etc/sailmark/config.yaml'), /mountPath is \/etc\/sailmark\/config\.yaml, /],
  [
    {
      extraVolumes: [volume('m')],
      extraVolumeMounts: ['/m', '/m'].map((mountPath) => ({ name: 'm', mountPath })),
    },
    /^extraVolumeMounts\[1\]\.mountPath is \/m, and the pod already has \/m: /,
  ],
  [
    { extraEnv: ['A', 'A'].map((name) => ({ name, value: '1' })) },
    /^extraEnv\[1\]\.name is A, which extraEnv/,
  ],
  [
    { extraEnv: [{ name: 'NODE_OPTIONS', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
    /^extraEnv\[0\] takes NODE_OPTIONS from elsewhere, /,
  ],
  [
    { extraInitContainers: [{ name: 'sailmark', image: 'a' }] },
    /^extraInitContainers\[0\]\.name is sailmark, /,
  ],
  [{ extraArgs: ['--offline', '--config=/mine.yaml'] }, /^extraArgs\[1\] is --config=\/mine\.yaml, /],
  [onNode({ webhook: 10250 }), /^listen\.webhook is 10250, and hostNetwork is true: the kubelet /],
  [onNode({ probes: 10256 }), /^listen\.probes is 10256, and hostNetwork is true: the kubelet /],
  [onNode({ webhook: 443 }), /^listen\.webhook is 443, and hostNetwork is true: .* below 1024 /],
  [file('/keys/corp.pub'), /^config\.keys\[0\]\.file is \/keys\/corp\.pub, which is in no volume: /],
  [file('corp.pub'), /^config\.keys\[0\]\.file is corp\.pub, which is in no volume: /],
  [
    file('/etc/sailmark/corp.pub'),
    /^config\.keys\[0\]\.file is \/etc\/sailmark\/corp\.pub, which is in no volume: /,
  ],
  [
    issued({ duration: '24h', renewBefore: '720h' }),
    /^certificates\.certManager\.renewBefore is 720h, and certificates\.certManager\.duration is 24h: /,
  ],
  [issued({ duration: '24h', renewBefore: '24h' }), /^certificates\.certManager\.renewBefore is 24h, /],
  [issued({ duration: '30m', renewBefore: '10m' }), /cert-manager wants at least 1h and 5m/],
  [{ certificates: { self: { caLifetime: '24h' } } }, /^certificates\.self\.lifetime is 720h, longer than /],
  [
    { certificates: { self: { overlap: '200h' } } },
    /^certificates\.self\.overlap is 200h, more than a sixth /,
  ],
  [
    { metrics: { podMonitor: { interval: '30s', scrapeTimeout: '1m' } } },
    /^metrics\.podMonitor\.scrapeTimeout is 1m, longer than its interval 30s: /,
  ],
  [{ excludedNamespaces: ['sailmark'] }, /^excludedNamespaces has sailmark, the release's own namespace/],
  [{ enabled: false }, /^enabled is false, and the chart is rendered all the same: /],
];

describe('what the values add to what the chart has', () => {
  it.each(colliding)('is refused by name where both cannot be: %j', async (values, why) => {
    expect(await refusals(values, { apis: ['cert-manager.io/v1'] })).toEqual([expect.stringMatching(why)]);
  });

  /** The values of a variable that is added with this value. */
  const valuesOf = async (name: string, value: string) => {
    const env = at(containerOf(await render({ extraEnv: [{ name, value }] })), 'env') as readonly {
      readonly name: string;
      readonly value: string;
    }[];
    return env.filter((one) => one.name === name).map((one) => one.value);
  };

  it('is theirs alone where they tune glibc', async () => {
    expect(await valuesOf('GLIBC_TUNABLES', 'a=1')).toEqual(['a=1']);
    expect(await valuesOf('OTHER', '1')).toEqual(['1']);
  });

  it('is merged where both can be: Node’s options, and theirs alone where they size the heap', async () => {
    const optionsOf = (value: string) => valuesOf('NODE_OPTIONS', value);
    expect(await optionsOf('--use-system-ca')).toEqual([
      '--max-old-space-size-percentage=40 --use-system-ca',
    ]);
    expect(await optionsOf('--max-old-space-size=300')).toEqual(['--max-old-space-size=300']);
  });

  it('holds files that the configuration names, as does the image', async () => {
    for (const path of ['/more/corp.pub', '/etc/ssl/certs/ca-certificates.crt'])
      expect(namesOf(await render({ ...mount('/more'), ...file(path) }))).toContain(
        'Deployment sailmark/sailmark',
      );
  });

  it('may be below what sailmark writes', async () => {
    const values = { ...mount('/var/lib/sailmark/more'), evidence: { write: { kind: 'emptyDir' } } };
    expect(at(containerOf(await render(values)), 'volumeMounts')).toContainEqual({
      name: 'more',
      mountPath: '/var/lib/sailmark/more',
    });
  });

  it('are init containers, hosts and objects, with the templates in them expanded', async () => {
    const manifests = await render({
      extraInitContainers: [{ name: 'wait', image: 'busybox' }],
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['registry.corp.example'] }],
      extraObjects: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}-one' } },
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ include "sailmark.fullname" . }}-two}\n',
      ],
    });
    expect(podOf(manifests)).toMatchObject({
      initContainers: [{ name: 'wait', image: 'busybox' }],
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['registry.corp.example'] }],
    });
    expect(namesOf(manifests)).toEqual(
      expect.arrayContaining(['ConfigMap sailmark-one', 'ConfigMap sailmark-two']),
    );
  });
});

describe('the image', () => {
  const imagesOf = async (values: object): Promise<readonly unknown[]> => {
    const manifests = await render(values);
    return [
      at(containerOf(manifests), 'image'),
      at(manifestOf(manifests, 'Pod'), 'spec', 'containers', 0, 'image'),
    ];
  };

  it.each([
    [{}, 'mirror.corp.example:5000/sailmark:0.1.0'],
    [{ repository: 'registry.corp.example/tools/sailmark' }, 'mirror.corp.example:5000/tools/sailmark:0.1.0'],
    [{ repository: 'localhost/sailmark' }, 'mirror.corp.example:5000/sailmark:0.1.0'],
    [{ repository: 'tools/sailmark' }, 'mirror.corp.example:5000/tools/sailmark:0.1.0'],
    [{ digest: DIGEST }, `mirror.corp.example:5000/sailmark@${DIGEST}`],
  ])('comes from global.imageRegistry, if there is one: %j', async (image, expected) => {
    const global = { imageRegistry: 'mirror.corp.example:5000' };
    expect(await imagesOf({ global, image })).toEqual([expected, expected]);
  });

  it('is pulled with the Secrets of all charts and of this one, each once', async () => {
    const manifests = await render({
      global: { imagePullSecrets: ['all', { name: 'both' }] },
      imagePullSecrets: [{ name: 'own' }, { name: 'both' }],
    });
    const secrets = ['all', 'both', 'own'].map((name) => ({ name }));
    expect(at(podOf(manifests), 'imagePullSecrets')).toEqual(secrets);
    expect(at(manifestOf(manifests, 'Pod'), 'spec', 'imagePullSecrets')).toEqual(secrets);
  });

  it('is pulled with none by default, and what else is global is nothing to us', async () => {
    const pod = podOf(await render({ global: { storageClass: 'fast', imageRegistry: '' } }));
    expect(pod).not.toHaveProperty('imagePullSecrets');
    expect(at(pod, 'containers', 0, 'image')).toBe(`${REPOSITORY}:0.1.0`);
  });
});
