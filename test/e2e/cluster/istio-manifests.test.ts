import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mirror, startMirror } from '../../support/mirror.ts';
import { type Istio, renderIstio } from '../control-plane/istiod.ts';
import { runProgram } from '../tools.ts';

/*
 * `istioctl manifest generate | sailmark review`: what istioctl renders, judged before it reaches a cluster, and what its
 * injector will inject.
 */

const PROGRAM = 'dist/main.js';
const TAG = '1.28.0';
const UNSIGNED = '1.28.1';

interface Reviewed {
  readonly objects: readonly {
    readonly kind: string;
    readonly name: string;
    readonly images: readonly string[];
    readonly findings: readonly { readonly image: string; readonly code: string }[];
  }[];
}

/** The exit codes of review that appear here. */
const EXIT = { clean: 0, unsigned: 10, refused: 30 };

describe('what istioctl renders, in sailmark review', () => {
  let directory: string;
  let mirror: Mirror;
  let hub: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sailmark-manifests-'));
    mirror = await startMirror();
    hub = `${mirror.registry.host}/istio`;
    for (const component of ['pilot', 'proxyv2']) mirror.add({ component, tag: TAG });
    // The tags of the ambient profile.
    for (const component of ['pilot', 'proxyv2', 'install-cni', 'ztunnel'])
      mirror.add({ component, tag: `${TAG}-distroless` });
    for (const component of ['pilot', 'proxyv2']) mirror.add({ component, tag: UNSIGNED, by: false });
  });
  afterAll(async () => {
    await mirror?.registry.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Resolves with the exit code, and for each workload its images of Istio and the reasons against them. */
  const review = async (istio: Istio) => {
    const manifest = join(directory, 'istio.yaml');
    const config = join(directory, 'config.yaml');
    await writeFile(manifest, await renderIstio(istio));
    const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
    await writeFile(config, JSON.stringify({ ...head, ...mirror.configuration }));
    const argv = [PROGRAM, 'review', '--config', config, '--output', 'json', '--filename', manifest];
    const { code, stdout, stderr } = await runProgram(process.execPath, argv);
    if (stdout === '') throw new Error(`review ended with ${code}: ${stderr}`);
    const { objects } = JSON.parse(stdout) as Reviewed;
    const workloads = objects.map(({ kind, name, images, findings }) => {
      const reasonsOf = (image: string) => findings.filter((finding) => finding.image === image);
      const judged = images.map((image) => [image, ...reasonsOf(image).map((finding) => finding.code)]);
      return [`${kind} ${name}`, judged.map((each) => each.join(': '))] as const;
    });
    return { code, workloads: Object.fromEntries(workloads) };
  };
  const istiodAndGateway = (place: string, tag: string, reason = '') => ({
    'ConfigMap istio-sidecar-injector': [`${place}/proxyv2:${tag}${reason}`],
    'Deployment istiod': [`${place}/pilot:${tag}${reason}`],
    'Deployment istio-ingressgateway': [`${place}/proxyv2:${tag}${reason}`],
  });

  it('is found out where its tag was changed to an unsigned one', async () => {
    expect(await review({ hub, tag: UNSIGNED, profile: 'default' })).toEqual({
      code: EXIT.unsigned,
      workloads: istiodAndGateway(hub, UNSIGNED, ': signature-missing'),
    });
  });

  it('is found out where its hub was changed to somebody else’s, who is not asked', async () => {
    const other = `${mirror.registry.host}/copies/istio`;
    mirror.registry.clearRequests();
    expect(await review({ hub: other, tag: TAG, profile: 'default' })).toEqual({
      code: EXIT.refused,
      workloads: istiodAndGateway(other, TAG, ': image-look-alike'),
    });
    expect(mirror.registry.requests).toEqual([]);
  });

  it('is found out where only the image that is injected was changed', async () => {
    // The init container's image is a setting of its own.
    const images = [`${hub}/proxyv2:${UNSIGNED}: signature-missing`, `${hub}/proxyv2:${TAG}`];
    expect(
      await review({
        hub,
        tag: TAG,
        profile: 'minimal',
        set: [`values.global.proxy.image=${hub}/proxyv2:${UNSIGNED}`],
      }),
    ).toEqual({
      code: EXIT.unsigned,
      workloads: { 'ConfigMap istio-sidecar-injector': images, 'Deployment istiod': [`${hub}/pilot:${TAG}`] },
    });
  });

  it('passes where its hub is the mirror, and every image is signed', async () => {
    expect(await review({ hub, tag: TAG, profile: 'default' })).toEqual({
      code: EXIT.clean,
      workloads: istiodAndGateway(hub, TAG),
    });
    const tag = `${TAG}-distroless`;
    expect(await review({ hub, tag: TAG, profile: 'ambient' })).toEqual({
      code: EXIT.clean,
      workloads: {
        'ConfigMap istio-sidecar-injector': [`${hub}/proxyv2:${tag}`],
        'Deployment istiod': [`${hub}/pilot:${tag}`],
        'DaemonSet istio-cni-node': [`${hub}/install-cni:${tag}`],
        'DaemonSet ztunnel': [`${hub}/ztunnel:${tag}`],
      },
    });
  });
});
