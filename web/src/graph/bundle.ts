import type { ColumnEdge } from "../api/answers/graph";
import { columnEdgeKey } from "./merge";

export type Change = "added" | "removed" | null;

/** All edges between the same two columns, drawn as one line. */
export interface Bundle {
  source: string;
  sourceColumn: string;
  target: string;
  targetColumn: string | null;
  edges: ColumnEdge[];
  indirect: boolean;
  /** Every direct edge is masked; one in clear beside it makes the bundle clear. */
  masked: boolean;
  change: Change;
}

export function bundles(
  edges: readonly ColumnEdge[],
  added: ReadonlySet<string> = new Set(),
  removed: ReadonlySet<string> = new Set(),
): Bundle[] {
  const found = new Map<string, Bundle>();
  for (const edge of edges) {
    const key = JSON.stringify([edge.source, edge.source_column, edge.target, edge.target_column]);
    const known = found.get(key);
    if (known) known.edges.push(edge);
    else
      found.set(key, {
        source: edge.source,
        sourceColumn: edge.source_column,
        target: edge.target,
        targetColumn: edge.target_column,
        edges: [edge],
        indirect: false,
        masked: false,
        change: null,
      });
  }
  for (const bundle of found.values()) {
    const direct = bundle.edges.filter((edge) => edge.type !== "INDIRECT");
    bundle.indirect = direct.length === 0;
    bundle.masked = (direct.length > 0 ? direct : bundle.edges).every((edge) => edge.masking);
    const keys = bundle.edges.map(columnEdgeKey);
    if (keys.every((key) => added.has(key))) bundle.change = "added";
    else if (keys.every((key) => removed.has(key))) bundle.change = "removed";
  }
  return [...found.values()];
}
