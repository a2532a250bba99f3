import { describe, expect, it } from 'vitest';
import { createRequestBudgets } from '../../../src/verification/memory/request-budgets.ts';

const start = (maxNamespaces?: number) => {
  let time = 0;
  const limits = { requestBudget: 3, requestBudgetPerSecond: 2 };
  const budgets = createRequestBudgets(limits, () => time, maxNamespaces);
  /** Takes questions until there are none left, or `most`. */
  const takeAll = (namespace: string, most = 100): number => {
    let taken = 0;
    while (taken < most && budgets.take(namespace)) taken += 1;
    return taken;
  };
  return { budgets, takeAll, pass: (milliseconds: number) => void (time += milliseconds) };
};

describe('a budget that is used up', () => {
  it('is so for its namespace alone', () => {
    const { takeAll } = start();
    expect([takeAll('hostile'), takeAll('hostile'), takeAll('shop')]).toEqual([3, 0, 3]);
  });

  it('does not become full again because other namespaces come: those share one', () => {
    const { budgets, takeAll } = start(2);
    takeAll('hostile');
    budgets.take('shop');
    expect(['a', 'b', 'c', 'd'].map((namespace) => takeAll(namespace))).toEqual([3, 0, 0, 0]);
    expect([takeAll('hostile'), takeAll('shop')]).toEqual([0, 2]);
  });

  it('is not refilled by a clock that goes back', () => {
    const { takeAll, pass } = start();
    takeAll('hostile');
    pass(-60_000);
    expect(takeAll('hostile')).toBe(0);
    pass(1_000);
    expect(takeAll('hostile')).toBe(2);
  });
});

describe('a budget', () => {
  it('is refilled each second, never above its burst', () => {
    const { takeAll, pass } = start();
    takeAll('shop');
    pass(1_000);
    expect(takeAll('shop')).toBe(2);
    pass(60_000);
    expect(takeAll('shop')).toBe(3);
  });

  it('gets back what was taken for verified images, never above its burst', () => {
    const { budgets, takeAll } = start();
    takeAll('shop');
    budgets.giveBack('shop', 2);
    expect(takeAll('shop')).toBe(2);
    budgets.giveBack('shop', 100);
    expect(takeAll('shop')).toBe(3);
  });

  it('is forgotten once it is full, for the sake of a new namespace', () => {
    const { takeAll, pass } = start(2);
    takeAll('one');
    takeAll('two');
    pass(60_000);
    expect(['three', 'four'].map((namespace) => takeAll(namespace))).toEqual([3, 3]);
  });
});

it('counts the budgets that are not full, those that are used up, and what was refused', () => {
  const { budgets, takeAll, pass } = start(2);
  expect(budgets.state()).toEqual({ inUse: 0, exhausted: 0, refused: 0 });
  takeAll('hostile');
  takeAll('shop', 1);
  takeAll('third', 1);
  expect(budgets.state()).toEqual({ inUse: 3, exhausted: 1, refused: 1 });
  pass(60_000);
  expect(budgets.state()).toEqual({ inUse: 0, exhausted: 0, refused: 1 });
});
