import { button, el, say } from './dom.ts';
import { onPrint } from './print.ts';
import { compareText, number } from './words.ts';

export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => Node | string;
  /** Rows are sorted by it; without it the column cannot be sorted. */
  readonly key?: (row: Row) => string | number;
  /** Numbers are aligned to the right; `wide` names the row, takes the room that is left, and unfolds it. */
  readonly kind?: 'number' | 'wide';
  /** Left out where there is no room. */
  readonly isExtra?: boolean;
}

interface TableOptions<Row> {
  readonly caption: string;
  readonly noun: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** The content that a row unfolds to. */
  readonly detail?: (row: Row) => Node;
  /** The column that the rows come sorted by. */
  readonly sortedBy?: number;
  readonly pageRows?: number;
  /** Rows that are printed, unfolded. */
  readonly isPrinted?: (row: Row) => boolean;
}

export interface Table<Row> {
  readonly element: HTMLElement;
  /** Shows the rows that pass, from the first page, and returns their number. */
  readonly filter: (passes: (row: Row) => boolean) => number;
}

/** Rows of a page, unless its table says otherwise. */
const PAGE_ROWS = 20;

interface Order {
  readonly column: number;
  readonly descending: boolean;
}

const classOf = <Row>({ kind, isExtra }: Column<Row>): string =>
  [...(kind === undefined ? [] : [kind]), ...(isExtra === true ? ['extra'] : [])].join(' ');

const sorted = <Row>(rows: readonly Row[], { key }: Column<Row>, descending: boolean): readonly Row[] => {
  if (key === undefined) return rows;
  const keyed = rows.map((row) => ({ row, by: key(row) }));
  const sign = descending ? -1 : 1;
  keyed.sort(({ by: a }, { by: b }) =>
    typeof a === 'number' && typeof b === 'number'
      ? sign * (a - b)
      : sign * compareText(String(a), String(b)),
  );
  return keyed.map(({ row }) => row);
};

let ids = 0;

/** A row and, once it is unfolded, the row below it with its detail. */
const createRow = <Row>(
  row: Row,
  { columns, detail }: TableOptions<Row>,
  unfolded: Set<Row>,
): readonly HTMLTableRowElement[] => {
  const line = el('tr');
  let toggle = (): void => {};
  for (const column of columns) {
    const content = column.cell(row);
    const isHead = column.kind === 'wide';
    const name = isHead ? 'th' : 'td';
    const inside =
      isHead && detail !== undefined
        ? button({ class: 'unfold', 'aria-expanded': 'false' }, () => toggle(), content)
        : content;
    line.append(el(name, { class: classOf(column), ...(isHead ? { scope: 'row' } : {}) }, inside));
  }
  const opener = line.querySelector('button.unfold');
  if (detail === undefined || opener === null) return [line];
  const place = el('td', { colspan: String(columns.length) });
  const id = `detail-${(ids += 1)}`;
  const below = el('tr', { class: 'detail', id, hidden: true }, place);
  opener.setAttribute('aria-controls', id);
  const show = (isOpen: boolean): void => {
    if (isOpen && place.childElementCount === 0) place.append(detail(row));
    below.hidden = !isOpen;
    opener.setAttribute('aria-expanded', String(isOpen));
  };
  toggle = () => {
    const isOpen = !unfolded.delete(row);
    if (isOpen) unfolded.add(row);
    show(isOpen);
  };
  if (unfolded.has(row)) show(true);
  return [line, below];
};

const createPager = (pageRows: number, onMove: (by: number) => void) => {
  const range = el('span');
  const previous = button({}, () => onMove(-1), 'Previous');
  const next = button({}, () => onMove(1), 'Next');
  const element = el(
    'div',
    { class: 'pager', role: 'group', 'aria-label': 'Pages of the table' },
    previous,
    range,
    next,
  );
  const update = (page: number, rows: number, noun: string): void => {
    const first = page * pageRows;
    element.hidden = rows <= pageRows;
    range.textContent = `${number(first + 1)}–${number(Math.min(first + pageRows, rows))} of ${number(rows)} ${noun}`;
    previous.disabled = page === 0;
    next.disabled = first + pageRows >= rows;
  };
  return { element, update, text: (): string => range.textContent };
};

const createHead = <Row>(columns: readonly Column<Row>[], onSort: (column: number) => void) => {
  const cells = columns.map((column, index) => {
    const { label, key } = column;
    const content = key === undefined ? label : button({ class: 'sort' }, () => onSort(index), label);
    return el('th', { scope: 'col', class: classOf(column) }, content);
  });
  const update = (order: Order | undefined): void => {
    for (const [index, cell] of cells.entries()) {
      if (order?.column === index)
        cell.setAttribute('aria-sort', order.descending ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    }
  };
  return { element: el('thead', {}, el('tr', {}, ...cells)), update };
};

/** A table whose columns sort and whose rows unfold. It holds one page of rows, however many there are. */
export const createTable = <Row>(options: TableOptions<Row>): Table<Row> => {
  const { rows, columns, caption, noun, pageRows = PAGE_ROWS, isPrinted = () => true } = options;
  const unfolded = new Set<Row>();
  let order: Order | undefined =
    options.sortedBy === undefined ? undefined : { column: options.sortedBy, descending: false };
  let [ordered, passing, page] = [rows, rows, 0];
  let passes: (row: Row) => boolean = () => true;

  const body = el('tbody');
  const none = el('p', { class: 'quiet' }, `No ${noun} to show.`);
  const draw = (shownRows: readonly Row[], open: Set<Row>): void => {
    body.replaceChildren(...shownRows.flatMap((row) => createRow(row, options, open)));
    none.hidden = shownRows.length > 0;
  };
  const update = (): void => {
    head.update(order);
    pager.update(page, passing.length, noun);
    draw(passing.slice(page * pageRows, (page + 1) * pageRows), unfolded);
  };
  const head = createHead(columns, (column) => {
    const isNumber = columns[column]?.kind === 'number';
    order = { column, descending: order?.column === column ? !order.descending : isNumber };
    ordered = sorted(rows, columns[column] as Column<Row>, order.descending);
    [passing, page] = [ordered.filter(passes), 0];
    update();
  });
  const pager = createPager(pageRows, (by) => {
    page += by;
    update();
    say(pager.text());
    element.scrollIntoView();
  });
  const table = el('table', {}, el('caption', { class: 'unseen' }, caption), head.element, body);
  onPrint(() => {
    const printed = rows.filter(isPrinted);
    draw(printed, new Set(printed));
  }, update);
  const element = el('div', { class: 'table' }, el('div', { class: 'scroll' }, table), none, pager.element);
  update();
  return {
    element,
    filter: (next) => {
      passes = next;
      [passing, page] = [ordered.filter(passes), 0];
      update();
      return passing.length;
    },
  };
};
