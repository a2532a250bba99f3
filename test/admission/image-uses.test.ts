import { describe, expect, it } from 'vitest';
import { changedUses } from '../../src/admission/image-uses.ts';
import { imageUses } from '../../src/admission/index.ts';
import { container, imageVolume, type PodSpec } from '../support/builders.ts';
import { use } from '../support/verdicts.ts';

const usesAndProblems = (spec: object) => {
  const problems: string[] = [];
  const uses = imageUses(spec as PodSpec, 'spec', (path, problem) => problems.push(`${path} ${problem}`));
  return { uses, problems };
};

describe('what is not a pod as Kubernetes has it', () => {
  it.each([
    [{ containers: {} }, ['spec.containers must be a list']],
    [{ containers: 'abc', volumes: 1 }, ['spec.containers must be a list', 'spec.volumes must be a list']],
    [
      { containers: [null, []] },
      ['spec.containers[0] must be an object', 'spec.containers[1] must be an object'],
    ],
    [{ containers: [{ name: 'a', image: {} }] }, ['spec.containers[0].image must be a string']],
    [{ initContainers: [{ image: 'a' }] }, ['spec.initContainers[0].name must be a string']],
    [{ volumes: ['a'] }, ['spec.volumes[0] must be an object']],
    [{ volumes: [{ name: 'a', image: 'b' }] }, ['spec.volumes[0].image must be an object']],
    [
      { volumes: [{ name: 'a', image: { reference: 1 } }] },
      ['spec.volumes[0].image.reference must be a string'],
    ],
  ])('%j is said with its path, and is no use', (spec, problems) => {
    expect(usesAndProblems(spec)).toEqual({ uses: [], problems });
  });
});

describe('the image uses of a pod', () => {
  it('are those of init containers, native sidecars, containers, ephemeral containers and image volumes', () => {
    const spec = {
      containers: [container('app:1', 'app')],
      initContainers: [
        container('init:1', 'istio-init'),
        { ...container('proxy:1', 'istio-proxy'), restartPolicy: 'Always' },
      ],
      ephemeralContainers: [container('debug:1', 'debugger')],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        imageVolume('content:1', 'content'),
        { name: 'disk', rbd: { image: 'disk' } },
      ],
    };
    expect(usesAndProblems(spec)).toEqual({
      problems: [],
      uses: [
        { image: 'init:1', path: 'spec.initContainers[0].image', name: 'istio-init', kind: 'init-container' },
        {
          image: 'proxy:1',
          path: 'spec.initContainers[1].image',
          name: 'istio-proxy',
          kind: 'init-container',
        },
        { image: 'app:1', path: 'spec.containers[0].image', name: 'app', kind: 'container' },
        {
          image: 'debug:1',
          path: 'spec.ephemeralContainers[0].image',
          name: 'debugger',
          kind: 'ephemeral-container',
        },
        {
          image: 'content:1',
          path: 'spec.volumes[1].image.reference',
          name: 'content',
          kind: 'image-volume',
        },
      ],
    });
  });

  it('are none where there is no image, or an empty one', () => {
    const spec = {
      containers: [container(undefined), container(''), { name: 'a', image: null }],
      initContainers: null,
      volumes: [imageVolume(''), { name: 'b', image: null }],
    };
    expect(usesAndProblems(spec)).toEqual({ uses: [], problems: [] });
  });
});

describe('the changed uses of an update', () => {
  const app = use('istio/proxyv2:1', { name: 'app' });
  const sidecar = use('istio/proxyv2:2', { name: 'sidecar' });

  it.each([
    ['all of them where there was nothing', [app, sidecar], [], [app, sidecar]],
    ['none where nothing changed', [app, sidecar], [sidecar, app], []],
    ['one whose image changed', [app, sidecar], [app, { ...sidecar, image: 'istio/proxyv2:1' }], [sidecar]],
    [
      'an image that moved to another container',
      [{ ...app, name: 'other' }],
      [app],
      [{ ...app, name: 'other' }],
    ],
    [
      'an image that moved to another list',
      [{ ...app, kind: 'init-container' }],
      [app],
      [{ ...app, kind: 'init-container' }],
    ],
    ['not one that only stands at another index', [{ ...app, path: 'spec.containers[1].image' }], [app], []],
  ] as const)('are %s', (_, uses, before, changed) => {
    expect(changedUses(uses, before)).toEqual(changed);
  });
});
