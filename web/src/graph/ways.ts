import type { ColumnEdge, Dataset } from "../api/answers/graph";
import { columnEdgeKey, columnKey } from "./merge";

export interface ColumnRef {
  dataset: string;
  column: string;
}

/** What is drawn strong: columns, the edges between them, and the datasets they are in. */
export interface Ways {
  columns: Set<string>;
  edges: Set<string>;
  datasets: Set<string>;
}

/** The ways from a column, up and down, along edges of the given list. */
export function waysOf(
  start: ColumnRef,
  edges: readonly ColumnEdge[],
  datasets: ReadonlyMap<string, Dataset>,
  { indirect }: { indirect: boolean },
): Ways {
  const used = indirect ? edges : edges.filter((edge) => edge.type !== "INDIRECT");
  const ways: Ways = { columns: new Set(), edges: new Set(), datasets: new Set() };
  follow(start, used, datasets, "down", ways);
  follow(start, used, datasets, "up", ways);
  return ways;
}

/** The ways that a list of edges makes, with nothing followed further. */
export function waysAlong(edges: readonly ColumnEdge[], ends: readonly ColumnRef[]): Ways {
  const ways: Ways = { columns: new Set(), edges: new Set(), datasets: new Set() };
  for (const end of ends) {
    ways.columns.add(columnKey(end.dataset, end.column));
    ways.datasets.add(end.dataset);
  }
  for (const edge of edges) {
    ways.edges.add(columnEdgeKey(edge));
    ways.columns.add(columnKey(edge.source, edge.source_column));
    if (edge.target_column !== null) ways.columns.add(columnKey(edge.target, edge.target_column));
    ways.datasets.add(edge.source);
    ways.datasets.add(edge.target);
  }
  return ways;
}

/** The edges of a path in the order that data takes, from its first column on. */
export function inOrder(edges: readonly ColumnEdge[], start: ColumnRef): ColumnEdge[] {
  const steps = new Map([[start.dataset, 0]]);
  let rest = [...edges];
  for (let step = 1; rest.length > 0; step += 1) {
    const near = rest.filter((edge) => steps.has(edge.source) && (steps.get(edge.source) ?? 0) < step);
    if (near.length === 0) break;
    for (const edge of near) if (!steps.has(edge.target)) steps.set(edge.target, step);
    rest = rest.filter((edge) => !near.includes(edge));
  }
  const last = Number.MAX_SAFE_INTEGER;
  const rank = (edge: ColumnEdge) => steps.get(edge.source) ?? last;
  return [...edges].sort((a, b) => rank(a) - rank(b) || Number(a.target_column === null) - Number(b.target_column === null));
}

function follow(
  start: ColumnRef,
  edges: readonly ColumnEdge[],
  datasets: ReadonlyMap<string, Dataset>,
  direction: "up" | "down",
  ways: Ways,
): void {
  const byColumn = new Map<string, ColumnEdge[]>();
  const byDataset = new Map<string, ColumnEdge[]>();
  for (const edge of edges) {
    if (direction === "down") add(byColumn, columnKey(edge.source, edge.source_column), edge);
    else if (edge.target_column === null) add(byDataset, edge.target, edge);
    else add(byColumn, columnKey(edge.target, edge.target_column), edge);
  }
  const seen = new Set([columnKey(start.dataset, start.column)]);
  const front: ColumnRef[] = [start];
  for (let at = front.pop(); at; at = front.pop()) {
    const key = columnKey(at.dataset, at.column);
    ways.columns.add(key);
    ways.datasets.add(at.dataset);
    for (const edge of [...(byColumn.get(key) ?? []), ...(byDataset.get(at.dataset) ?? [])]) {
      ways.edges.add(columnEdgeKey(edge));
      for (const next of beyond(edge, direction, datasets)) {
        const nextKey = columnKey(next.dataset, next.column);
        if (seen.has(nextKey)) continue;
        seen.add(nextKey);
        front.push(next);
      }
    }
  }
}

function beyond(edge: ColumnEdge, direction: "up" | "down", datasets: ReadonlyMap<string, Dataset>): ColumnRef[] {
  if (direction === "up") return [{ dataset: edge.source, column: edge.source_column }];
  if (edge.target_column !== null) return [{ dataset: edge.target, column: edge.target_column }];
  // What decides the rows decides every column's values.
  const columns = datasets.get(edge.target)?.columns ?? [];
  return columns.map((column) => ({ dataset: edge.target, column: column.name }));
}

function add(map: Map<string, ColumnEdge[]>, key: string, edge: ColumnEdge): void {
  const found = map.get(key);
  if (found) found.push(edge);
  else map.set(key, [edge]);
}
