import {
  type JudgeDependencies,
  type JudgedObject,
  judgeObject,
  type NamespaceRules,
  type ReviewableObject,
} from './judge-object.ts';
import { createSlots } from './slots.ts';

/** Objects that are judged at the same time. Each is held in memory until its images are verified. */
const MAX_AT_ONCE = 64;

interface JudgeAllOptions<Collected extends ReviewableObject> {
  readonly objects: AsyncIterable<Collected>;
  readonly dependencies: JudgeDependencies;
  readonly rulesOf: (namespace: string) => NamespaceRules;
  /** Called for each object, in any order. `judged` is undefined for one that Kubernetes does not know. */
  readonly onJudged: (object: Collected, rules: NamespaceRules, judged: JudgedObject | undefined) => void;
  readonly signal: AbortSignal;
}

/**
 * Judges objects as they come, and drops each once it was reported. What was not judged when the signal ended is not
 * reported: its images would seem unknown. Rejects as `objects` does.
 */
export const judgeObjects = async <Collected extends ReviewableObject>({
  objects,
  dependencies,
  rulesOf,
  onJudged,
  signal,
}: JudgeAllOptions<Collected>): Promise<void> => {
  const slots = createSlots(MAX_AT_ONCE);
  const running = new Set<Promise<void>>();
  const judge = async (object: Collected): Promise<void> => {
    const rules = rulesOf(object.namespace);
    const judged = await judgeObject(dependencies, object, rules, signal);
    if (!signal.aborted) onJudged(object, rules, judged);
  };
  const problems: unknown[] = [];
  for await (const object of objects) {
    if (signal.aborted) break;
    await new Promise<void>((begun) => {
      const work: Promise<void> = slots(() => {
        begun();
        return judge(object);
      })
        .catch((error: unknown) => void problems.push(error))
        .finally(() => running.delete(work));
      running.add(work);
    });
    if (problems.length > 0) break;
  }
  await Promise.all(running);
  if (problems.length > 0) throw problems[0];
};
