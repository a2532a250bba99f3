import * as kubernetes from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { imageUses, workloads } from '../../src/admission/index.ts';

/** Kubernetes' own model, in the JavaScript client that is generated from its OpenAPI. */
interface Attribute {
  readonly baseName: string;
  readonly type: string;
}
interface Model {
  getAttributeTypeMap(): readonly Attribute[];
}

const isModel = (value: unknown): value is Model =>
  typeof value === 'function' && 'getAttributeTypeMap' in value;

const exported: readonly (readonly [string, unknown])[] = Object.entries(kubernetes);

const models: ReadonlyMap<string, Model> = new Map(
  exported.flatMap(([name, value]) => (isModel(value) ? [[name, value] as const] : [])),
);

const attributesOf = (type: string): readonly Attribute[] => models.get(type)?.getAttributeTypeMap() ?? [];

/** Returns `V1Container` for `Array<V1Container>` and `V1Container`, and `V1X` for `{ [key: string]: V1X; }`. */
const elementOf = (type: string): string =>
  /^Array<(.*)>$|^\{ \[key: string\]: (.*); \}$/.exec(type)?.slice(1).find(Boolean) ?? type;

/** Every path below a type at which `found` is true. Paths end there. */
const pathsTo = (
  type: string,
  found: (attribute: Attribute) => boolean,
  path: readonly string[] = [],
  seen: readonly string[] = [],
): string[] =>
  seen.includes(type)
    ? []
    : attributesOf(type).flatMap((attribute) => {
        const here = [...path, attribute.baseName];
        return found(attribute)
          ? [here.join('.')]
          : pathsTo(elementOf(attribute.type), found, here, [...seen, type]);
      });

describe('the places we know, beside Kubernetes’ own model', () => {
  it('the model is there, so that what follows is no empty talk', () => {
    expect(models.size).toBeGreaterThan(500);
    expect(attributesOf('V1PodSpec').length).toBeGreaterThan(30);
  });

  it('every image in a pod’s specification is at a place we read', () => {
    const places = pathsTo(
      'V1PodSpec',
      ({ baseName, type }) => type === 'string' && /image(?!PullPolicy)|^reference$/i.test(baseName),
    );
    const notContainerImages = ['volumes.rbd.image'];
    expect(places.filter((place) => !notContainerImages.includes(place)).toSorted()).toEqual([
      'containers.image',
      'ephemeralContainers.image',
      'initContainers.image',
      'volumes.image.reference',
    ]);
  });

  it('and imageUses reads each of them', () => {
    const spec = {
      containers: [{ name: 'a', image: 'a' }],
      ephemeralContainers: [{ name: 'b', image: 'b' }],
      initContainers: [{ name: 'c', image: 'c' }],
      volumes: [{ name: 'd', image: { reference: 'd' } }],
    };
    expect(
      imageUses(spec, 'spec', () => expect.unreachable())
        .map(({ image }) => image)
        .toSorted(),
    ).toEqual(['a', 'b', 'c', 'd']);
  });

  it('every kind that holds a pod’s specification is a workload, with the right path', () => {
    const kinds = [...models.keys()].filter((name) => {
      const fields = attributesOf(name).map(({ baseName }) => baseName);
      return (
        ['apiVersion', 'kind', 'metadata'].every((field) => fields.includes(field)) && !name.endsWith('List')
      );
    });
    const holding = kinds.flatMap((name) =>
      pathsTo(name, ({ type }) => type === 'V1PodSpec').map(
        (path) => `${name.replace(/^V\d+((alpha|beta)\d+)?/, '')}: ${path}`,
      ),
    );
    const known = workloads
      .filter(({ group }) => !group.includes('openshift'))
      .map(({ kind, podSpec }) => `${kind}: ${podSpec.join('.')}`);
    expect(holding.toSorted()).toEqual(known.toSorted());
  });
});
