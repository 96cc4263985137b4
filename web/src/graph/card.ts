import type { Column, ColumnEdge, Dataset } from "../api/answers/graph";

// The measures of a card: layout, handles and style sheet agree on them, so nothing is measured.
export const CARD_WIDTH = 244;
export const COMPACT_WIDTH = 204;
export const HEAD_HEIGHT = 58;
export const ROW_HEIGHT = 24;
export const FOOT_HEIGHT = 28;
export const JOB_Y = 18;
export const ROWS_Y = 44;
/** Above this count a card shows the columns that matter and a button for the others. */
export const COLUMN_LIMIT = 12;

export interface Card {
  dataset: Dataset;
  columns: Column[];
  hidden: number;
  collapsible: boolean;
  width: number;
  height: number;
}

const UNDECLARED: Omit<Column, "name"> = {
  type: "",
  description: null,
  pii: null,
  masked: false,
  key: false,
  unit: null,
};

/** The columns of each dataset, with those that only an edge names: a file's columns, for instance. */
export function withNamedColumns(
  datasets: ReadonlyMap<string, Dataset>,
  edges: readonly ColumnEdge[],
): Map<string, Dataset> {
  const missing = new Map<string, Map<string, Column>>();
  const known = new Map([...datasets].map(([id, one]) => [id, new Set(one.columns.map((column) => column.name))]));
  const name = (id: string, column: string | null) => {
    if (column === null || !known.has(id) || known.get(id)?.has(column)) return;
    const found = missing.get(id) ?? new Map<string, Column>();
    missing.set(id, found.set(column, { ...UNDECLARED, name: column }));
  };
  for (const edge of edges) {
    name(edge.source, edge.source_column);
    name(edge.target, edge.target_column);
  }
  return new Map(
    [...datasets].map(([id, one]) => {
      const more = missing.get(id);
      return [id, more ? { ...one, columns: [...one.columns, ...more.values()] } : one];
    }),
  );
}

/** What a card shows: all columns of a short one or an opened one, else those that take part first. */
export function cardOf(
  dataset: Dataset,
  {
    open,
    compact,
    strong,
    joined,
    onlyStrong = false,
  }: { open: boolean; compact: boolean; onlyStrong?: boolean; strong: ReadonlySet<string>; joined: ReadonlySet<string> },
): Card {
  const all = dataset.columns;
  let columns = all;
  if (compact) columns = [];
  else if (onlyStrong && !open) columns = all.filter((column) => strong.has(column.name));
  else if (!open && all.length > COLUMN_LIMIT) {
    const ranked = all
      .map((column, position) => ({
        column,
        position,
        rank: strong.has(column.name) ? 0 : joined.has(column.name) ? (column.pii ? 1 : 2) : column.pii || column.key ? 3 : 4,
      }))
      .sort((a, b) => a.rank - b.rank || a.position - b.position);
    const needed = Math.max(COLUMN_LIMIT - 2, ranked.filter((one) => one.rank === 0).length);
    columns = ranked
      .slice(0, needed)
      .sort((a, b) => a.position - b.position)
      .map((one) => one.column);
  }
  const hidden = all.length - columns.length;
  const collapsible = !compact && (hidden > 0 || all.length > COLUMN_LIMIT);
  return {
    dataset,
    columns,
    hidden,
    collapsible,
    width: compact ? COMPACT_WIDTH : CARD_WIDTH,
    height: HEAD_HEIGHT + columns.length * ROW_HEIGHT + (collapsible ? FOOT_HEIGHT : columns.length ? 6 : 0),
  };
}

/** Where on a card the line of a column ends; the foot stands for those not shown. */
export function columnY(card: Card, column: string): number {
  const row = card.columns.findIndex((one) => one.name === column);
  if (row >= 0) return HEAD_HEIGHT + row * ROW_HEIGHT + ROW_HEIGHT / 2;
  return card.collapsible ? card.height - FOOT_HEIGHT / 2 : ROWS_Y;
}
