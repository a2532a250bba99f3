import type { ScannedImage } from '../../../scan/index.ts';
import { button, el, say } from './dom.ts';
import { compareText, count, number, STATUSES, WORDS } from './words.ts';

/** The lists to choose from; `any` is the first entry of each. */
type Choice = 'status' | 'reason' | 'namespace' | 'component';

/** The conditions of the filter. */
export type Conditions = Readonly<Partial<Record<Choice, string>>>;

export interface Filters {
  readonly element: HTMLElement;
  /** Shows the images that fit these conditions, and no others. */
  readonly choose: (conditions: Conditions) => void;
}

/** Milliseconds without another key after which a screen reader hears the number. */
const PAUSE_MS = 400;

const valuesOf = ({
  status,
  reason,
  component,
  uses,
}: ScannedImage): Readonly<Record<Choice, readonly string[]>> => ({
  status: [status],
  reason: reason === null ? [] : [reason],
  component: component === null ? [] : [component],
  namespace: uses.map(({ namespace }) => namespace),
});

/** Everything about an image that the text is looked for in. */
const haystackOf = (image: ScannedImage): string =>
  [
    image.reference,
    image.status,
    image.reason,
    image.component,
    image.istioVersion,
    image.digest,
    image.message,
    ...image.uses.map(({ namespace, owner }) => `${namespace} ${owner}`),
  ]
    .join('\n')
    .toLowerCase();

interface Indexed {
  readonly haystack: string;
  readonly values: Readonly<Record<Choice, readonly string[]>>;
}

const LABELS: Readonly<Record<Choice, string>> = {
  status: 'Status',
  reason: 'Reason',
  namespace: 'Namespace',
  component: 'Component',
};
const CHOICES = Object.keys(LABELS) as readonly Choice[];

const optionsOf = (choice: Choice, index: ReadonlyMap<ScannedImage, Indexed>): readonly string[] => {
  const all = new Set([...index.values()].flatMap(({ values }) => values[choice]));
  if (choice === 'status') return STATUSES.filter((status) => all.has(status));
  return [...all].toSorted(compareText);
};

/** A list to choose from. Its values are positions, so that no text of the cluster becomes an attribute. */
const createSelect = (choice: Choice, options: readonly string[], onChange: () => void) => {
  const select = el('select', {}, el('option', { value: '' }, 'any'));
  for (const [position, option] of options.entries()) {
    const label = choice === 'status' && option in WORDS ? WORDS[option as keyof typeof WORDS].label : option;
    select.append(el('option', { value: String(position) }, label));
  }
  select.addEventListener('change', onChange);
  return {
    element: el('label', {}, el('span', {}, LABELS[choice]), select),
    value: (): string | undefined => (select.value === '' ? undefined : options[Number(select.value)]),
    set: (option: string | undefined): void => {
      const position = option === undefined ? -1 : options.indexOf(option);
      select.value = position < 0 ? '' : String(position);
    },
  };
};

/** Returns a function that tells if an image contains all the words and fits all the conditions. */
const matcherOf =
  (index: ReadonlyMap<ScannedImage, Indexed>, words: readonly string[], conditions: Conditions) =>
  (image: ScannedImage): boolean => {
    const found = index.get(image);
    if (found === undefined) return false;
    return (
      words.every((word) => found.haystack.includes(word)) &&
      CHOICES.every((choice) => {
        const value = conditions[choice];
        return value === undefined || found.values[choice].includes(value);
      })
    );
  };

/** One list to choose from for each kind of condition. */
const createChoices = (index: ReadonlyMap<ScannedImage, Indexed>, onChange: () => void) => {
  const selects = CHOICES.map((choice) => ({
    choice,
    select: createSelect(choice, optionsOf(choice, index), onChange),
  }));
  return {
    elements: selects.map(({ select }) => select.element),
    conditions: (): Conditions =>
      Object.fromEntries(
        selects.flatMap(({ choice, select }) => {
          const value = select.value();
          return value === undefined ? [] : [[choice, value] as const];
        }),
      ),
    set: (conditions: Conditions): void => {
      for (const { choice, select } of selects) select.set(conditions[choice]);
    },
  };
};

/** The filters of the images. `apply` shows those that pass and returns their number. */
export const createFilters = (
  images: readonly ScannedImage[],
  apply: (passes: (image: ScannedImage) => boolean) => number,
): Filters => {
  const index = new Map(
    images.map((image) => [image, { haystack: haystackOf(image), values: valuesOf(image) }] as const),
  );
  const text = el('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' });
  const result = el('span');
  let pause: ReturnType<typeof setTimeout> | undefined;

  const update = (): void => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const conditions = choices.conditions();
    const isFiltered = words.length + Object.keys(conditions).length > 0;
    const passing = number(apply(matcherOf(index, words, conditions)));
    const all = count(images.length, 'image');
    result.textContent = isFiltered ? `${passing} of ${all}` : all;
    clear.hidden = !isFiltered;
    clearTimeout(pause);
    pause = setTimeout(() => say(result.textContent ?? ''), PAUSE_MS);
  };
  const choose = (conditions: Conditions): void => {
    text.value = '';
    choices.set(conditions);
    update();
  };
  const choices = createChoices(index, update);
  const clear = button({ hidden: true }, () => choose({}), 'Clear');
  text.addEventListener('input', update);
  const element = el(
    'form',
    { class: 'filters', role: 'search', 'aria-label': 'Filter the images' },
    el('label', { class: 'text' }, el('span', {}, 'Search'), text),
    ...choices.elements,
    el('div', { class: 'result' }, result, clear),
  );
  element.addEventListener('submit', (event) => event.preventDefault());
  result.textContent = count(images.length, 'image');
  return { element, choose };
};
