import { Environment } from '@marcbachmann/cel-js';
import { describe, expect, it } from 'vitest';
import { at, manifestOf, namesOf, render } from './helm.ts';

type Mode = string | undefined;

const namespaceOf = (mode: Mode) => ({
  metadata: { name: 'apps', ...(mode === undefined ? {} : { labels: { 'sailmark.dev/mode': mode } }) },
});

/** Evaluates the policy for a user without the right: true if it allows the change of the label. */
const allows = async (values: object): Promise<(before: Mode | null, after: Mode) => boolean> => {
  const policy = manifestOf(
    await render({ ...values, modes: { guard: { enabled: true }, ...(at(values, 'modes') as object) } }),
    'ValidatingAdmissionPolicy',
  );
  const named = at(policy, 'spec', 'variables') as readonly {
    readonly name: string;
    readonly expression: string;
  }[];
  const [expression = ''] = (at(policy, 'spec', 'validations', 0, 'expression') as string).split('||');
  const environment = new Environment()
    .registerVariable('object', 'dyn')
    .registerVariable('oldObject', 'dyn')
    .registerVariable('variables', 'dyn');
  return (before, after) => {
    const objects = { object: namespaceOf(after), oldObject: before === null ? null : namespaceOf(before) };
    const variables = Object.fromEntries(
      named.map((one) => [
        one.name,
        environment.parse(one.expression)({ ...objects, variables: {} }) as unknown,
      ]),
    );
    return environment.parse(expression)({ ...objects, variables }) as boolean;
  };
};

const LABELS = [undefined, 'audit', 'warn', 'enforce', 'off'] as const;

/** The changes of a label that need the right, as `before → after`; `new` is a namespace that is created. */
const guarded = async (values: object): Promise<readonly string[]> => {
  const allowed = await allows(values);
  return [null, ...LABELS].flatMap((before) =>
    LABELS.filter((after) => !allowed(before, after)).map(
      (after) => `${before === null ? 'new' : (before ?? 'none')} → ${after ?? 'none'}`,
    ),
  );
};

describe('the policy that guards the mode label', () => {
  it('is rendered where it is asked for', async () => {
    const kinds = async (values: object) =>
      namesOf(await render(values)).filter((name) => name.startsWith('ValidatingAdmissionPolicy'));
    expect(await kinds({ modes: { allowWeakerLabels: true } })).toEqual([]);
    expect(await kinds({ modes: { guard: { enabled: true } } })).toEqual([
      'ValidatingAdmissionPolicy sailmark-mode-labels',
      'ValidatingAdmissionPolicyBinding sailmark-mode-labels',
    ]);
  });

  it('covers every subresource of a namespace: labels can be changed through each', async () => {
    const policy = manifestOf(
      await render({ modes: { guard: { enabled: true } } }),
      'ValidatingAdmissionPolicy',
    );
    expect(at(policy, 'spec', 'matchConstraints')).toEqual({
      resourceRules: [
        {
          apiGroups: [''],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['namespaces', 'namespaces/*'],
        },
      ],
    });
  });

  it('asks for a right whenever the mode of a namespace would become lower, and never else', async () => {
    expect(await guarded({ mode: 'enforce', modes: { allowWeakerLabels: true } })).toEqual(
      ['new', 'none', 'warn', 'enforce', 'off'].flatMap((before) =>
        before === 'warn' ? ['warn → audit'] : [`${before} → audit`, `${before} → warn`],
      ),
    );
  });

  it('asks for none where no label can lower it, but where one that strengthens is taken away', async () => {
    expect(await guarded({ mode: 'enforce' })).toEqual([]);
    expect(await guarded({ mode: 'audit' })).toEqual([
      'warn → none',
      'warn → audit',
      'warn → off',
      'enforce → none',
      'enforce → audit',
      'enforce → warn',
      'enforce → off',
    ]);
  });

  it('lets through who has the verb on the namespace', async () => {
    const policy = manifestOf(
      await render({ modes: { guard: { enabled: true, verb: 'lower' } } }),
      'ValidatingAdmissionPolicy',
    );
    expect(at(policy, 'spec', 'validations', 0, 'expression')).toContain(
      "|| authorizer.group('').resource('namespaces').name(object.metadata.name).check('lower').allowed()",
    );
  });
});
